import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { half, launch, listening, send } from './launch.js'
import { janeDoe } from './samples.js'

t.test('a request under way is finished before the server closes', async (t) => {
  const server = launch(t, { DATA_DIR: t.testdir(), LOG_LEVEL: 'debug' })
  const socket = await send(await listening(server), half)
  await server.prints(/incoming request/)
  server.child.kill('SIGTERM')
  await server.prints(/closing after SIGTERM/)
  await sleep(600) // past the time in which new requests may still arrive
  socket.write(JSON.stringify(janeDoe).slice(1).padEnd(199))
  t.match(await text(socket), /^HTTP\/1.1 201 /)
  t.strictSame(await server.exited, { code: 0, signal: null })
})

t.test('a second signal ends the server at once, and so does the end of the grace time', async (t) => {
  const impatient = launch(t, { DATA_DIR: t.testdir({ a: {} }) + '/a', LOG_LEVEL: 'debug' }, { counted: true })
  await send(await listening(impatient), half)
  await impatient.prints(/incoming request/)
  impatient.child.kill('SIGTERM')
  await impatient.prints(/closing after SIGTERM/)
  const started = performance.now()
  impatient.child.kill('SIGTERM')
  t.match(await impatient.exited, { code: 1 })
  t.ok(performance.now() - started < 1_000)

  const graced = launch(t, { DATA_DIR: t.testdir({ b: {} }) + '/b', SHUTDOWN_TIMEOUT_MS: '800', LOG_LEVEL: 'debug' })
  await send(await listening(graced), half)
  await graced.prints(/incoming request/)
  graced.child.kill('SIGTERM')
  t.match(await graced.exited, { code: 1 })
  t.match(graced.output, /killed by timeout/)
})

t.test('an error that nothing caught is logged, and the server closes with exit 1', async (t) => {
  const throwOnSignal = "process.on('SIGWINCH', () => { throw new Error('planted') })"
  const server = launch(t, { DATA_DIR: t.testdir() }, { counted: true, execArgv: ['--import', `data:text/javascript,${throwOnSignal}`] })
  await listening(server)
  server.child.kill('SIGWINCH')
  t.match(await server.exited, { code: 1 })
  t.match(server.output, /closing after an error that nothing caught/)
  t.match(server.output, /planted/)
})
