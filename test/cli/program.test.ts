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
    t.notMatch(output, /^ {2}(-|<|\[)\S+( <\S+>)?$/m, `${command}: no argument and no option is without a word`)
    const group = words.slice(0, -1)
    for (const other of [[...group, 'help', String(words.at(-1))], ['help', ...words], ['--help', ...words]]) {
      t.strictSame(await run(env, other), { code: 0, output, errors: '' }, other.join(' '))
    }
  }
})

t.test('help on a word that is no command names the nearest', async (t) => {
  const { env } = place(t)
  for (const [words, unknown, meant] of [['help bakup', 'bakup', 'backup'], ['bakup --help', 'bakup', 'backup'], ['help users ad', 'ad', 'add'], ['users help ad', 'ad', 'add'], ['users ad --help', 'ad', 'add']] as const) {
    const { code, output, errors } = await run(env, words.split(' '))
    t.strictSame([code, output], [2, ''], words)
    t.match(errors, new RegExp(`^error: unknown command '${unknown}'\n\\(Did you mean ${meant}\\?\\)\n`), words)
  }
})

t.test('who asks for help runs nothing', async (t) => {
  const { env } = place(t)
  const { output } = await run(env, ['backup', '--help'])
  for (const words of ['help backup folder', 'backup folder --help']) t.strictSame(await run(env, words.split(' ')), { code: 0, output, errors: '' }, words)
})

t.test('without words it shows what there is, as an error', async (t) => {
  const { env } = place(t)
  const { code, output, errors } = await run(env, [])
  t.strictSame([code, output], [2, ''])
  t.match(errors, /^Usage: student-course-api /)
})
