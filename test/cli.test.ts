import { mkdir, readFile, rm } from 'node:fs/promises'
import t from 'tap'
import { coverage, launch, listening, Process, runCli as run } from './launch.js'
import { built } from './root.js'
import { janeDoe } from './samples.js'
import { client, url as storeUrl } from './store.js'

t.test('users are added and changed with and without a running server, and the server shows them', async (t) => {
  const env = { DATA_DIR: t.testdir() }
  const words = 'users add alice --scope users:read --email alice@example.com'
  t.strictSame(await run(env, words, 'correct horse\n'), { code: 0, output: 'User alice added, with users:read.\n' })

  const server = launch(t, env)
  const url = await listening(server)
  t.strictSame(await run(env, 'users add bob', 'correct horse\n'), { code: 0, output: 'User bob added, without scopes.\n' })
  t.strictSame(await run(env, 'users disable alice'), { code: 0, output: 'User alice disabled.\n' })
  t.strictSame(await run(env, 'users list'), { code: 0, output: 'alice disabled users:read\nbob enabled\n' })
  t.strictSame(await (await fetch(`${url}/users/alice`)).json(),
    { username: 'alice', email: 'alice@example.com', full_name: null, disabled: true })

  await t.test('students are imported and exported while the server runs', async (t) => {
    const folder = `${env.DATA_DIR}-files`
    await mkdir(folder)
    t.teardown(() => rm(folder, { recursive: true }))
    t.match(await run(env, 'import -', `${JSON.stringify(janeDoe)}\n`), { code: 0, output: /1 row read: 1 created, 0 refused/ })
    const { students: [jane] } = await (await fetch(`${url}/students/`)).json() as { students: object[] } // as the API answers
    t.match(jane, janeDoe)
    t.strictSame(await run(env, `export ${folder}/a.ndjson`), { code: 0, output: '1 record exported.\n' })
    t.strictSame(JSON.parse(await readFile(`${folder}/a.ndjson`, 'utf8')), jane)
    t.equal((await fetch(`${url}/students/${(jane as { id: string }).id}`, { method: 'DELETE' })).status, 204)
  })

  await t.test('the store is backed up and copied while the server runs', async (t) => {
    const folder = `${env.DATA_DIR}-backup`
    t.teardown(() => rm(folder, { recursive: true }))
    t.match(await run(env, `backup ${folder}`), { code: 0, output: `The store in ${env.DATA_DIR} is in ${folder}/store.mdb.` })
    t.match(await run({ DATA_DIR: folder }, 'users list'), { code: 0, output: 'alice disabled users:read\nbob enabled\n' })
    t.match(await run(env, `backup ${folder}`), { code: 1, output: /is there already/ })
    const words = 'copy --to -'
    const copied = 'students: 0 here, 0 there, 0 of them copied now.\nusers: 2 here, 2 there, 2 of them copied now.\n'
    const { code, output } = await run({ ...env, MONGODB_DATABASE: 'college' }, words, `${storeUrl}\n`)
    t.teardown(() => client.db('college').dropDatabase())
    t.equal(code, 0)
    t.match(output, copied)
    t.match(await run({ ...env, MONGODB_URL: storeUrl }, words), { code: 2, output: /copy is for the embedded store/ })
    t.match(await run({ ...env, MONGODB_URL: storeUrl }, `backup ${folder}`), { code: 2, output: /backup is for the embedded store/ })
    t.match(await run(env, 'copy --to mongodb://user:s3cret@127.0.0.1:1/?serverSelectionTimeoutMS=100'), { code: 1, output: /^student-course-api: MongoDB at 127\.0\.0\.1:1 is out of reach: [^@]*$/ })
    for (const wrong of ['backup', 'backup a b', 'copy', 'copy a --to -', 'users list --to -', 'backup a --to -']) {
      t.equal((await run(env, wrong)).code, 2, wrong)
    }
    t.equal((await fetch(`${url}/students/`)).status, 200)
  })
})

t.test('a wrong word is exit 2 with how to say it, what can not be done exit 1', async (t) => {
  const env = { DATA_DIR: t.testdir() }
  for (const [words, message] of [
    ['users add', /^error: missing required argument 'name'\n/],
    ['users list x', /^error: too many arguments for 'list'/],
    ['users add a --frob', /^error: unknown option '--frob'\n/],
    ['users ad a', /^error: unknown command 'ad'\n\(Did you mean add\?\)\n/],
    ['users add a --scop students:read', /^error: unknown option '--scop'\n\(Did you mean --scope\?\)\n\(--help shows what there is\)\n$/],
    ['users constructor alice', /^error: unknown command 'constructor'\n/],
    ['constructor', /^error: unknown command 'constructor'\n/],
    ['bakup x', /Did you mean backup\?/],
    ['users toString alice', /^error: unknown command 'toString'\n/],
    ['users', /^Usage: student-course-api users /]
  ] as const) {
    const { code, output } = await run(env, words)
    t.equal(code, 2, words)
    t.match(output, message)
  }
  t.match(await run({ ...env, PORT: 'x' }, 'users list'), { code: 2, output: /PORT must be integer/ })
  t.strictSame(await run(env, 'users disable nobody'), { code: 1, output: 'There is no user named nobody.\n' })
})

t.test('where the configuration names a Couchbase bucket, users are looked for there', async (t) => {
  const couchbase = { COUCHBASE_URL: 'couchbase://127.0.0.1:1', COUCHBASE_USERNAME: 'u', COUCHBASE_PASSWORD: 's3cret', COUCHBASE_BUCKET: 'b', COUCHBASE_TIMEOUT_MS: '500' }
  const { code, output } = await run({ DATA_DIR: t.testdir(), ...couchbase }, 'users list')
  t.equal(code, 1)
  t.match(output, /Couchbase/)
  t.notMatch(output, /s3cret/)
})

t.test('the command prints what it did to standard output, what went wrong to standard error, and without words it is the server', async (t) => {
  const env = { ...process.env, ...coverage, MONGODB_URL: '', DATA_DIR: t.testdir(), PORT: '0' }
  const command = (...words: string[]) => new Process(t, `${built}cli.js`, words, { env, cwd: t.testdirName })
  const list = command('users', 'list')
  t.match(await list.exited, { code: 0 })
  t.match(list, { output: 'There are no users.\n', errors: '' })
  const wrong = command('constructor')
  t.match(await wrong.exited, { code: 2 })
  t.match(wrong.errors, /^error: unknown command 'constructor'/)
  t.equal(wrong.output, wrong.errors)
  const help = command('import', '--help')
  t.match(await help.exited, { code: 0 })
  t.match(help, { output: /^Usage: student-course-api import \[options\] <file>\n/, errors: '' })
  const server = command()
  await listening(server)
  server.child.kill('SIGTERM')
  t.strictSame(await server.exited, { code: 0, signal: null })
})
