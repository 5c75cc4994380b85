import t from 'tap'
import { launch, listening, runCli as run } from './launch.js'

t.test('users are added and changed with and without a running server, and the server shows them', async (t) => {
  const env = { DATA_DIR: t.testdir() }
  const words = 'users add alice --scope users:read --email alice@example.com'
  t.strictSame(await run(t, env, words, 'correct horse\n'), { code: 0, output: 'User alice added, with users:read.\n' })

  const server = launch(t, env)
  const url = await listening(server)
  t.strictSame(await run(t, env, 'users add bob', 'correct horse\n'), { code: 0, output: 'User bob added, without scopes.\n' })
  t.strictSame(await run(t, env, 'users disable alice'), { code: 0, output: 'User alice disabled.\n' })
  t.strictSame(await run(t, env, 'users list'), { code: 0, output: 'alice disabled users:read\nbob enabled\n' })
  t.strictSame(await (await fetch(`${url}/users/alice`)).json(),
    { username: 'alice', email: 'alice@example.com', full_name: null, disabled: true })
})

t.test('a wrong word is exit 2 with how to say it, what can not be done exit 1', async (t) => {
  const env = { DATA_DIR: t.testdir() }
  for (const words of ['users add', 'users list x', 'users add a --frob']) {
    const { code, output } = await run(t, env, words)
    t.equal(code, 2, words)
    t.match(output, /Usage:\n {2}student-course-api /)
  }
  t.match(await run(t, { ...env, PORT: 'x' }, 'users list'), { code: 2, output: /PORT must be integer/ })
  t.strictSame(await run(t, env, 'users disable nobody'), { code: 1, output: 'There is no user nobody.\n' })
})
