import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { runDoctor } from '../../cli/doctor.js'
import { start } from '../../embedded/index.js'
import { certificate } from '../certificate.js'
import { fakeMongodb, hello } from '../fake-mongodb.js'
import { launch, listening } from '../launch.js'
import { FakeBucket } from '../users/fake-couchbase.js'
import { place, run } from './run.js'

/** What it finds, line by line. */
async function examine (env: NodeJS.ProcessEnv, options: Parameters<typeof runDoctor>[1] = {}) {
  const { text = '', isFault } = await runDoctor({ env: { PORT: '0', ...env } }, options)
  return { lines: text.split('\n'), isFault }
}

t.test('a folder that a start can use is right', async (t) => {
  const folder = t.testdir()
  const { lines, isFault } = await examine({ DATA_DIR: `${folder}/deep/data` })
  t.equal(isFault, false)
  t.match(lines, [/^ok +Node \d/, 'ok       access control is off, the address is 127.0.0.1', new RegExp(`^ok +${folder} can be written, [\\d.]+ GiB are free$`), 'ok       there is no store yet: the first start makes one', 'ok       the port is any that is free'])
  t.match(await run({ DATA_DIR: folder, PORT: '0' }, ['doctor']), { code: 0, output: /^ok / })
})

t.test('a folder that cannot be written, and a disk that is nearly full, are told', async (t) => {
  t.match((await examine({ DATA_DIR: '/proc/none' })).lines.join('\n'), /error +the folder \/proc, for the embedded store, cannot be written by this user/)
  const folder = t.testdir()
  const { lines, isFault } = await examine({ DATA_DIR: folder }, { leastFreeBytes: Infinity })
  t.equal(isFault, false)
  t.match(lines.join('\n'), /warning +\S+ has [\d.]+ GiB free: a full disk ends all writes/)
})

t.test('what is wrong with the settings is told, each by a line, with status 1', async (t) => {
  t.match(await examine({ PORT: 'x', LOG_LEVEL: 'loud', AUTH: 'on', JWT_SECRET: 's3cret' }), { lines: [/^ok/, /^error +.*/], isFault: true })
  const { code, output } = await run({ PORT: 'x', LOG_LEVEL: 'loud', JWT_SECRET: 's3cret' }, ['doctor'])
  t.equal(code, 1)
  t.match(output, /error +.*PORT must be integer/)
  t.match(output, /LOG_LEVEL must be/)
  t.notMatch(output, 's3cret')
  const { lines, isFault } = await examine({ DATA_DIR: t.testdir(), MONGODB_ULR: 'x', HOST: '0.0.0.0' })
  t.equal(isFault, false)
  t.ok(lines.includes('warning  MONGODB_ULR is not a variable of this server; did you mean MONGODB_URL?'))
  t.ok(lines.includes('warning  AUTH is off: anyone who can reach this address can read and change everything'))
})

t.test('a Node that is too old is told', async (t) => {
  const env = { DATA_DIR: t.testdir() }
  for (const old of ['18.20.0', '20.18.9']) t.match(await examine(env, { version: old }), { lines: [`error    Node ${old} is too old: install 20.19 or newer`], isFault: true })
  for (const good of ['20.19.0', '22.0.0']) t.equal((await examine(env, { version: good })).isFault, false, good)
})

t.test('a database that answers is told with what it lacks, and one that does not as an error', async (t) => {
  const { env, students } = place(t)
  await students.insertOne({ name: 'x' })
  const found = await examine(env)
  t.equal(found.isFault, false)
  t.match(found.lines.join('\n'), /ok +MongoDB \d at \S+ answers in [\d.]+ ms\n/)
  t.match(found.lines.join('\n'), /warning +students lacks \{ .*: create them with student-course-api indexes --create/)
  await run(env, ['indexes', '--create'])
  t.ok((await examine(env)).lines.includes('ok       students has the indexes of its lists'))
  const away = await examine({ MONGODB_URL: 'mongodb://user:s3cret@127.0.0.1:1/?serverSelectionTimeoutMS=100' })
  t.equal(away.isFault, true)
  t.match(away.lines.join('\n'), /error +MongoDB at 127\.0\.0\.1:1 is out of reach/)
  t.notMatch(away.lines.join(), 's3cret')
})

t.test('the release of the database is told, if it is a known one', async (t) => {
  for (const [maxWireVersion, release] of [[13, ' 5'], [21, ' 7'], [25, ' 8'], [99, '']] as const) {
    const address = await fakeMongodb(t, (command) => command.listIndexes ? { ok: 1, cursor: { id: 0n, ns: 'x.y', firstBatch: [] } } : { ...hello, maxWireVersion })
    t.match((await examine({ MONGODB_URL: `mongodb://${address}/?directConnection=true` })).lines.join('\n'), `MongoDB${release} at ${address} answers`)
  }
})

t.test('a Couchbase server is asked too, where the users are there', async (t) => {
  const env = { DATA_DIR: t.testdir(), COUCHBASE_URL: 'couchbase://cb.example', COUCHBASE_USERNAME: 'u', COUCHBASE_PASSWORD: 's3cret', COUCHBASE_BUCKET: 'b', COUCHBASE_TIMEOUT_MS: '100' }
  const answering = { connect: async () => ({ bucket: () => new FakeBucket(), close: async () => {} }) }
  t.ok((await examine(env, { sdk: answering })).lines.includes('ok       Couchbase at cb.example answers, and has the bucket b'))
  const { lines, isFault } = await examine(env, { sdk: { connect: async () => { throw new Error('no u:s3cret') } } })
  t.equal(isFault, true)
  t.match(lines.join('\n'), /error +Couchbase at cb\.example is out of reach, or has no bucket b: /)
  t.notMatch(lines.join(), 's3cret')
})

t.test('a slow database, its clock and that it is no replica set are warnings', async (t) => {
  const late = new Date(Date.now() - 60_000)
  const noIndexes = { ok: 1, cursor: { id: 0n, ns: 'x.y', firstBatch: [] } }
  const alone = await fakeMongodb(t, async (command) => {
    await sleep(60)
    return command.listIndexes ? noIndexes : { ...hello, localTime: late }
  })
  const { lines } = await examine({ MONGODB_URL: `mongodb://${alone}/?directConnection=true`, MONGODB_TIMEOUT_MS: '200' })
  const text = lines.join('\n')
  t.match(text, /warning +MongoDB 7 at [\d.:]+ answers in [\d.]+ ms, which is much of MONGODB_TIMEOUT_MS/)
  t.match(text, /warning +the database is no replica set/)
  t.match(text, /warning +its clock and that of this machine differ by 60 s/)
  const set = await fakeMongodb(t, (command) => command.listIndexes ? noIndexes : { ...hello, setName: 'rs0' })
  t.match((await examine({ MONGODB_URL: `mongodb://${set}/?directConnection=true`, MONGODB_TIMEOUT_MS: '60000' })).lines.join('\n'), /ok +it is the replica set rs0/)
})

t.test('a server that runs here is known by its port and its store', async (t) => {
  const DATA_DIR = t.testdir()
  const server = launch(t, { DATA_DIR })
  const { port } = new URL(await listening(server))
  const { lines, isFault } = await examine({ DATA_DIR, PORT: port })
  t.equal(isFault, false)
  t.ok(lines.includes(`ok       port ${port} of 127.0.0.1 is that of a server of this API`))
  t.ok(lines.includes('ok       a server has the store open: to look for damage, check a backup of it'))
  t.ok((await examine({ DATA_DIR, PORT: port, HOST: '0.0.0.0' })).lines.some((line) => line.endsWith('is that of a server of this API')))
  server.child.kill('SIGTERM')
  await server.exited
  const { lines: later } = await examine({ DATA_DIR, PORT: port })
  t.ok(later.includes('ok       the store is sound: 0 documents'))
  t.ok(later.includes(`ok       port ${port} of 127.0.0.1 is free`))

  const { cert, key } = await certificate()
  const folder = t.testdir({ cert, key })
  const secure = { DATA_DIR: `${folder}/data`, TLS_CERT_FILE: `${folder}/cert`, TLS_KEY_FILE: `${folder}/key` }
  const { port: securePort } = new URL(await listening(launch(t, secure)))
  t.ok((await examine({ ...secure, PORT: securePort })).lines.includes(`ok       port ${securePort} of 127.0.0.1 is that of a server of this API`))
})

t.test('a port that something else has, or that is not to be had, is an error', async (t) => {
  const other = createServer((_request, response) => response.setHeader('x-request-id', '1').end('x'))
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  const DATA_DIR = t.testdir()
  t.match((await examine({ DATA_DIR, PORT: String(port) })).lines.at(-1), new RegExp(`^error +Port ${port} of 127\\.0\\.0\\.1 is in use`))
  const silent = createTcpServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  t.teardown(() => silent.close())
  t.match((await examine({ DATA_DIR, PORT: String((silent.address() as AddressInfo).port) })).lines.at(-1), /^error +Port \d+ of 127\.0\.0\.1 is in use/)
  const host = '192.0.2.1'
  t.match((await examine({ DATA_DIR, HOST: host })).lines.join('\n'), /error +192\.0\.2\.1 is not an address of this machine/)
  t.match((await examine({ DATA_DIR, HOST: '::1' })).lines.at(-1), /^(ok|error) /)
})

t.test('damage in the store is an error', async (t) => {
  const DATA_DIR = t.testdir({ 'store.mdb': 'no store' })
  const { lines, isFault } = await examine({ DATA_DIR })
  t.equal(isFault, true)
  t.match(lines.join('\n'), /error +.*store\.mdb/)
  for (const line of lines) t.match(line, /^(ok|warning|error) +\S/, 'each line says what it is')
})

t.test('files of the store that another user has are a warning', { skip: process.getuid?.() !== 0 && 'only root gives files away' }, async (t) => {
  const DATA_DIR = t.testdir()
  const store = await start({ path: DATA_DIR })
  await store.close()
  await chown(`${DATA_DIR}/store.mdb`, 12_345, 0)
  const { lines, isFault } = await examine({ DATA_DIR })
  t.equal(isFault, false)
  t.ok(lines.includes(`warning  ${DATA_DIR}/store.mdb belongs to the user 12345, and this is the user 0: run the server and its commands as one user`))
  t.equal(lines.filter((line) => line.includes('belongs to')).length, 1)
})

t.test('keys that others can read are a warning', { skip: process.platform === 'win32' && 'Windows has no such modes' }, async (t) => {
  const folder = t.testdir({ keys: 'x'.repeat(44) })
  const env = { DATA_DIR: folder, AUTH: 'on', JWT_SECRET_FILE: `${folder}/keys` }
  await chmod(`${folder}/keys`, 0o644)
  t.ok((await examine(env)).lines.includes(`warning  JWT_SECRET_FILE is readable by others: chmod 600 ${folder}/keys`))
  await chmod(`${folder}/keys`, 0o600)
  t.ok((await examine(env)).lines.includes('ok       JWT_SECRET_FILE is readable by this user alone'))
  t.notMatch((await examine(env)).lines.join(), 'xxxx')
})

t.test('a key that repeats few characters is a warning, and none is shown', async (t) => {
  const env = { DATA_DIR: t.testdir(), AUTH: 'on' }
  const random = randomBytes(32).toString('base64')
  for (const weak of ['x'.repeat(44), `${random} ${'abcdefg'.repeat(6)}`]) {
    const { lines, isFault } = await examine({ ...env, JWT_SECRET: weak })
    t.equal(isFault, false)
    t.ok(lines.includes('warning  a key for access tokens repeats few characters, and can be guessed: make one with openssl rand -base64 48'))
  }
  for (const [good, told] of [[random, '1 key'], [`${random} ${'0123456789abcdef'.repeat(2)}`, '2 keys']] as const) {
    const { lines } = await examine({ ...env, JWT_SECRET: good })
    t.ok(lines.includes(`ok       the first of ${told} signs access tokens`))
    t.notMatch(lines.join(), random)
  }
})

t.test('a certificate is told with its end', async (t) => {
  const folder = t.testdir()
  await mkdir(`${folder}/data`)
  for (const [days, expected] of [[90, /^ok +the certificate is good for (89|90) days$/], [5, /^warning +the certificate of TLS_CERT_FILE ends on .*: renew it/], [-1, /^error +the certificate of TLS_CERT_FILE ended on/]] as const) {
    const { cert, key } = await certificate('localhost', days)
    await Promise.all([writeFile(`${folder}/cert`, cert), writeFile(`${folder}/key`, key)])
    const { lines } = await examine({ DATA_DIR: `${folder}/data`, TLS_CERT_FILE: `${folder}/cert`, TLS_KEY_FILE: `${folder}/key` })
    t.match(lines.at(-1), expected)
  }
})
