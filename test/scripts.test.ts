import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { listening, Process } from './launch.js'
import { root } from './root.js'

// Windows runs the scripts of package.json with cmd, others with sh: what both understand is a program and its words, with " around some.

const shell = `#!${process.execPath}
const { spawn } = require('node:child_process')
const [, , , command] = process.argv
const rest = command.replace(/"[^"]*"/g, '')
if (/[$\`';|&<>*?~(){}\\\\%^!]|^\\w+=/.test(rest)) throw new Error('not for every shell: ' + command)
const [program, ...args] = command.match(/"[^"]*"|[^\\s"]+/g).map((word) => word.replaceAll('"', ''))
const child = spawn(program, args, { stdio: 'inherit' })
child.on('error', (error) => { console.error(error.message); process.exit(127) })
child.on('exit', (code) => process.exit(code ?? 1))
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => child.kill(signal))
`

interface Manifest {
  scripts: Record<string, string>
}

function scriptsOf (folder: string): Record<string, string> {
  return (JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest).scripts // a file of this project
}

// Without exec a shell stands between npm and the server, and a signal never reaches it; Windows has start:windows, and no such signals.
const ONLY_POSIX = ['start']

t.test('each script is a program with words, which every shell can run', async (t) => {
  for (const folder of ['.', 'bench']) {
    for (const [name, script] of Object.entries(scriptsOf(folder))) {
      const [program = ''] = script.split(' ')
      if (folder === '.' && ONLY_POSIX.includes(name)) continue
      t.notMatch(script.replace(/"[^"]*"/g, ''), /[$`';|&<>*?~(){}\\%^!]|^\w+=/, `${folder} ${name}: no syntax of a shell`)
      t.ok(['node', 'npm'].includes(program) || existsSync(join(root, 'node_modules', '.bin', program)), `${folder} ${name}: ${program} is a program`)
    }
  }
})

t.test('npm runs them through a shell that has nothing built in', async (t) => {
  const directory = t.testdir({ 'shell.cjs': shell, data: {} })
  const options = ['--script-shell', join(directory, 'shell.cjs')]
  await promisify(execFile)('chmod', ['+x', join(directory, 'shell.cjs')])
  const { MONGODB_URL, NODE_OPTIONS, ...env } = process.env
  const npm = (...args: string[]) => promisify(execFile)('npm', [...options, ...args], { cwd: root, env })

  t.match((await npm('run', 'lint', '--', '--version')).stdout, /v\d+\./, 'a linked program')
  t.match(await npm('run', 'seed', '--ignore-scripts', '--', '--nothing').catch((error: unknown) => error), { stderr: /Unknown option/ }, 'a script of Node')
  const refused = await npm('run', 'test:mongodb', '--ignore-scripts').catch((error: unknown) => error)
  t.match(refused, { code: 2, stderr: /MONGODB_URL is not set: name the server to test on/ }, 'a script with a variable')

  const server = new Process(t, 'npm', [...options, 'run', 'start:windows', '--ignore-scripts'], { cwd: root, env: { ...env, PORT: '0', DATA_DIR: join(directory, 'data') } })
  t.equal((await fetch(`${await listening(server)}/students/`)).status, 200)
  server.child.kill('SIGTERM')
  t.strictSame(await server.exited, { code: 0, signal: null })
})
