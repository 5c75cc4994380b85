import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { LogDestination } from '../../../lib/server/log-destination.js'
import { coverage } from '../../launch.js'

/** A process that logs 3,000 lines of a thousand letters to its standard output, and tells how long that took. */
function logging (t: Test) {
  const module = new URL('../../../lib/server/log-destination.js', import.meta.url).href
  const script = `
    import { LogDestination } from '${module}'
    const log = new LogDestination(1)
    const line = JSON.stringify({ msg: 'x'.repeat(1000) }) + '\\n'
    const started = performance.now()
    for (let count = 0; count < 3000; count++) log.write(line)
    const written = performance.now() - started
    await log.flush()
    process.send({ written, flushed: performance.now() - started })
    process.on('message', async () => {
      log.write(line)
      await log.flush()
      log.write(line)
      process.disconnect()
    })`
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'], env: { ...process.env, ...coverage }
  })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

t.test('lines go to a file in order', async (t) => {
  const path = `${t.testdir()}/log`
  const descriptor = openSync(path, 'w')
  const log = new LogDestination(descriptor)
  for (const line of ['a\n', 'b\n']) log.write(line)
  await log.flush()
  closeSync(descriptor)
  t.equal(readFileSync(path, 'utf8'), 'a\nb\n')
})

t.test('on a full disk lines are lost without an error, and are counted', async (t) => {
  const full = openSync('/dev/full', 'w')
  t.teardown(() => closeSync(full))
  const log = new LogDestination(full)
  for (let line = 0; line < 3; line++) t.doesNotThrow(() => log.write('a\n'))
})

t.test('a pipe that is not read never holds up the process; once it is read again, a line says how many were lost', async (t) => {
  const child = logging(t)
  const [{ written, flushed }] = await once(child, 'message')
  t.ok(written < 1_000, `written within ${Math.round(written)} ms`)
  t.ok(flushed < 2_000, 'nor does the end wait for long')
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (data: string) => {
    if (text === '') child.send('go on')
    text += data
  })
  await once(child, 'close')
  const messages = text.trim().split('\n').map((line) => JSON.parse(line).msg)
  const lost = Number(/^(\d+) log lines were lost$/.exec(messages.find((message) => message.endsWith('were lost')))?.[1])
  t.ok(lost > 1_000 && lost < 3_000, `${lost} were lost`)
  t.ok(messages.filter((message) => message.startsWith('xxx')).length >= 3_000 - lost, 'and all others are there')
})

t.test('a pipe whose reader is gone does no harm', async (t) => {
  const child = logging(t)
  child.stdout?.destroy()
  await once(child, 'message')
  child.send('go on')
  const [code] = await once(child, 'exit')
  t.equal(code, 0)
})
