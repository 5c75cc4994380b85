// The commands of README.md and of pages in docs/, typed in the order in which they stand: npm run test:readme. It needs curl and openssl.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { METHODS } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { freePort } from '../free-port.js'
import { root } from '../root.js'
import { url as otherServer } from '../store.js'

interface Step {
  command: string
  /** What the page shows after it, nothing where it shows nothing. */
  shown: string[]
}

/** The commands of a page's console blocks, with what is shown after each. */
function stepsOf (page: string): Step[] {
  const steps: Step[] = []
  for (const [, block = ''] of page.matchAll(/```console\n(.*?)```/gs)) {
    for (const line of block.trimEnd().split('\n')) {
      const last = steps.at(-1)
      if (line.startsWith('$ ')) steps.push({ command: line.slice(2), shown: [] })
      // a quoted text goes on in the next line
      else if (last && last.shown.length === 0 && last.command.split("'").length % 2 === 0) last.command += `\n${line}`
      else last?.shown.push(line)
    }
  }
  return steps
}

/** What differs from one run to the next, and what only a terminal shows. */
function masked (text: string): string[] {
  return text.replace(/\r/g, '').split('\n')
    .map((line) => line.replace(/[0-9a-f]{24}/g, 'ID').replace(/^Date: .*/i, 'Date').replace(/(Keep-Alive: timeout=)\d+/, '$1N').replace(/^etag: "[\w-]{22}"$/, 'etag: TAG').replace(/\\"[\w-]{22}\\"/g, 'TAG').replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}-\d+/, 'REQUEST'))
    .map((line) => line.replace(/"(access_token|refresh_token)":"[^"]*"/g, '"$1":"…"'))
    .filter((line) => line !== '' && !line.startsWith('Password'))
}

/** A folder as that of a fresh clone after `npm ci`, with a shell in it. */
async function clone (t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'readme-'))
  let server: ChildProcess | undefined
  const stop = async () => {
    if (!server) return
    process.kill(-Number(server.pid), 'SIGTERM')
    await once(server, 'exit')
    server = undefined
  }
  t.teardown(async () => {
    await stop()
    await rm(folder, { recursive: true })
  })
  for (const name of ['package.json', 'dist', 'node_modules', 'scripts', 'tsconfig.json']) await symlink(join(root, name), join(folder, name))
  // no progress bar, which curl shows where it does not write to a terminal
  await writeFile(join(folder, '.curlrc'), 'silent\nshow-error\n')
  const port = await freePort()
  const env = { ...process.env, PORT: String(port), MONGODB_URL: '', CURL_HOME: folder, npm_config_update_notifier: 'false' }
  const shell = (command: string, detached = false) => spawn('env', ['-u', 'NODE_OPTIONS', 'bash', '-c', command], { cwd: folder, env, detached })

  return {
    run: async (written: string) => {
      const command = written
        .replaceAll('localhost:8000', `localhost:${port}`)
        .replaceAll('mongodb://db.example:27017', `'${otherServer}'`)
        .replaceAll('/backups/', `${folder}/backups-`)
      if (command.includes('npm start')) {
        await stop()
        server = shell(command, true)
        while (!await fetch(`http://localhost:${port}/openapi.json`).catch(() => undefined)) await sleep(100)
        return ''
      }
      const child = shell(command)
      // a command that asks for nothing may have ended before
      child.stdin?.on('error', () => {}).end('correct horse\n')
      let output = ''
      for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => { output += text })
      const [code] = await once(child, 'close')
      if (code !== 0) throw new Error(`${command} ended with ${code}: ${output}`)
      return output
    }
  }
}

t.setTimeout(120_000)

t.test('the QUERY of docs/lists.md is answered', async (t) => {
  const { run } = await clone(t)
  const steps = stepsOf(await readFile(join(root, 'docs/lists.md'), 'utf8')).filter(({ command }) => command.includes('-X QUERY'))
  t.equal(steps.length, 1)
  await run('npm start')
  // Node 20.19 does not know the method
  for (const { command } of steps) t.match(await run(command), METHODS.includes('QUERY') ? /^\{"students":\[\]\}$/ : '')
})

for (const path of ['README.md', 'docs/bulk.md', 'docs/users.md', 'docs/access.md', 'docs/databases.md']) {
  t.test(`the commands of ${path} work in the order in which they stand, and print what it shows`, async (t) => {
    const { run } = await clone(t)
    const steps = stepsOf(await readFile(join(root, path), 'utf8'))
    t.ok(steps.length > 2)
    if (path !== 'docs/access.md') await run('npm start')
    let id = ''
    let token = ''
    for (const { command, shown } of steps) {
      // the page has the id and the token of another day
      const output = await run(command.replaceAll(/students\/[0-9a-f]{24}/g, `students/${id}`).replaceAll(/Bearer \S+?"/g, `Bearer ${token}"`))
      id = /"id":"([0-9a-f]{24})"/.exec(output)?.[1] ?? id
      token = /"access_token":"([^"]+)"/.exec(output)?.[1] ?? token
      if (shown.length > 0) t.strictSame(masked(output).filter((line) => !line.startsWith('> ')), masked(shown.join('\n')), command)
      else t.notMatch(output, /"status":[45]|"error"/, command)
    }
  })
}
