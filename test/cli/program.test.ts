import t from 'tap'
import { version } from '../../lib/http/version.js'
import { place, run } from './run.js'

const commands = ['users', 'users list', 'users add', 'users scopes', 'users disable', 'users enable', 'users password', 'users unlock', 'users delete',
  'backup', 'check', 'copy', 'indexes', 'import', 'export', 'doctor']

t.test('--help and --version go to standard output, with status 0', async (t) => {
  const { env } = place(t)
  t.strictSame(await run(env, ['--version']), { code: 0, output: `${version}\n`, errors: '' })
  for (const words of [['--help'], ['help']]) {
    const { code, output, errors } = await run(env, words)
    t.strictSame([code, errors], [0, ''])
    t.match(output, /^Usage: student-course-api \[options\] \[command\]\n/)
    for (const name of commands.filter((command) => !command.includes(' '))) t.match(output, new RegExp(`\n  ${name} `), name)
  }
})

t.test('each command has its help, and every option of it a word', async (t) => {
  const { env } = place(t)
  for (const command of commands) {
    const words = command.split(' ')
    const { code, output, errors } = await run(env, [...words, '--help'])
    t.strictSame([code, errors], [0, ''], command)
    t.match(output, new RegExp(`^Usage: student-course-api ${command} `))
    const group = words.slice(0, -1)
    t.equal((await run(env, [...group, 'help', String(words.at(-1))])).output, output)
  }
})

t.test('without words it shows what there is, as an error', async (t) => {
  const { env } = place(t)
  const { code, output, errors } = await run(env, [])
  t.strictSame([code, output], [2, ''])
  t.match(errors, /^Usage: student-course-api /)
})
