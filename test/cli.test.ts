import { rm } from 'node:fs/promises'
import t from 'tap'
import { launch, listening, runCli as run } from './launch.js'
import { client, url as storeUrl } from './store.js'

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

t.test('the store is backed up and copied while the server runs', async (t) => {
  const env = { DATA_DIR: t.testdir() }
  const server = launch(t, env)
  const url = await listening(server)
  t.equal((await run(t, env, 'users add alice', 'correct horse\n')).code, 0)
  const folder = `${t.testdirName}-backup`
  t.teardown(() => rm(folder, { recursive: true }))
  t.match(await run(t, env, `backup ${folder}`), { code: 0, output: `The store in ${env.DATA_DIR} is in ${folder}/store.mdb.` })
  t.match(await run(t, { DATA_DIR: folder }, 'users list'), { code: 0, output: 'alice enabled\n' })
  t.match(await run(t, env, `backup ${folder}`), { code: 1, output: /is there already/ })
  const words = 'copy --to -'
  const copied = 'students: 0 here, 0 there, 0 of them copied now.\nusers: 1 here, 1 there, 1 of them copied now.\n'
  const { code, output } = await run(t, { ...env, MONGODB_DATABASE: 'college' }, words, `${storeUrl}\n`)
  t.teardown(() => client.db('college').dropDatabase())
  t.equal(code, 0)
  t.match(output, copied)
  t.match(await run(t, { ...env, MONGODB_URL: storeUrl }, words), { code: 2, output: /copy is for the embedded store/ })
  t.match(await run(t, { ...env, MONGODB_URL: storeUrl }, `backup ${folder}`), { code: 2, output: /backup is for the embedded store/ })
  for (const wrong of ['backup', 'backup a b', 'copy', 'copy a --to -', 'users list --to -', 'backup a --to -']) {
    t.equal((await run(t, env, wrong)).code, 2, wrong)
  }
  t.equal((await fetch(`${url}/students/`)).status, 200)
})
