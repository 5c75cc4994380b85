import { MongoClient, type MongoClientOptions } from 'mongodb'
import t from 'tap'
import { connect, hosts } from '../../../lib/mongodb/connect.js'
import { fakeMongodb, hello } from '../../fake-mongodb.js'

/** A client that only notes what it was given. */
function recordingClient () {
  const calls: [url: string, options: MongoClientOptions][] = []
  class Client {
    options = {}

    constructor (url: string, options: MongoClientOptions) {
      calls.push([url, options])
    }

    on () {}
    async connect () {}
  }
  // these are all that connect() asks of a client
  return { calls, Client: Client as unknown as typeof MongoClient }
}

t.test('a URL reaches the driver unchanged, mongodb+srv and replica sets too', async (t) => {
  const urls = [
    'mongodb+srv://user:p%40ss@cluster0.example.mongodb.net/school?retryWrites=true&w=majority&appName=x',
    'mongodb://a:1,b:2/?replicaSet=rs&readPreference=secondary'
  ]
  for (const url of urls) {
    const { calls, Client } = recordingClient()
    await connect(url, { Client })
    t.equal(calls.length, 1)
    t.equal(calls[0]?.[0], url)
  }
})

t.test('the connection uses the Stable API, and options of ours only where the URL is silent', async (t) => {
  const { calls, Client } = recordingClient()
  await connect('mongodb://a', { Client })
  await connect('mongodb://a/?CONNECTTIMEOUTMS=9&heartbeatFrequencyMS=900&serverSelectionTimeoutMS=8&waitQueueTimeoutMS=7&maxIdleTimeMS=6&maxConnecting=5', { Client })
  const serverApi = { version: '1', strict: true, deprecationErrors: true }
  const ours = { serverSelectionTimeoutMS: 5_000, connectTimeoutMS: 2_000, heartbeatFrequencyMS: 1_000, waitQueueTimeoutMS: 1_350, maxIdleTimeMS: 60_000, maxConnecting: 10 }
  t.strictSame(calls.map(([, options]) => options), [{ ...ours, serverApi }, { serverApi }])
})

t.test('the driver waits for a connection a little less than an operation may take', async (t) => {
  const { calls, Client } = recordingClient()
  await connect('mongodb://a', { Client, timeoutMs: 200 })
  t.equal(calls[0]?.[1].waitQueueTimeoutMS, 180)
})

t.test('writes without acknowledgement are refused, however the URL asks for them', async (t) => {
  for (const option of ['w=0', 'W=0', 'w=0&wtimeoutMS=5', 'w=0&journal=false', 'w=00', 'w=1&w=0']) {
    const error: Error = await connect(`mongodb://127.0.0.1:1/?${option}`, { limitMs: 50 }).then(() => new Error('connected'), (error) => error)
    t.match(error.message, /^student-course-api: (the write concern w=0 does not tell|the MongoDB URL is invalid)/, option)
  }
})

t.test('no option of a URL shows in an error', async (t) => {
  const url = 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=10&replicaSet=0ption&appName=s3cret'
  for (const bad of [`${url}&tls=s3cret`, `${url}&readPreference=s3cret`, `${url}&authMechanism=s3cret`, `${url}&compressors=s3cret`, url]) {
    const error: Error = await connect(bad, { limitMs: 500 }).then(() => new Error('connected'), (error) => error)
    t.match(error, { code: 'SCA_SETUP' })
    t.notMatch(error.message, /s3cret|0ption/)
  }
})

t.test('a wrong URL is refused without its credentials', async (t) => {
  const urls = [
    'mongodb://user:s3cret/pass@host:notaport/?x',
    'mongodb://us er:s3cret@host:99999999',
    'mongodb://user:s3cret@host/?unknownOption=s3cret',
    'mongodb+srv://user:s3cret@host:27017',
    'mongodb+srv://user:s3cret@host.a.b,host2.a.b',
    'mongodb://user:%zzs3cret@',
    'mongodb://user:%zzs3cret@host',
    'http://user:s3cret@host'
  ]
  for (const url of urls) {
    const error: Error = await connect(url).then(() => new Error('connected'), (error) => error)
    t.match(error.message, /^student-course-api: the MongoDB URL is invalid: ./, url)
    t.notMatch(error.message, /s3cret|user:/)
  }
})

t.test('a server out of reach is one error that names its host, without credentials', async (t) => {
  const url = 'mongodb://user:s3cret@127.0.0.1:1/admin?serverSelectionTimeoutMS=300'
  const error: Error = await connect(url).then(() => new Error('connected'), (error) => error)
  t.match(error.message, /^student-course-api: MongoDB at 127\.0\.0\.1:1 is out of reach: connect ECONNREFUSED/)
  t.notMatch(error.message, /s3cret|user/)
})

t.test('a server that takes connections and never answers is given up', async (t) => {
  const started = performance.now()
  const url = `mongodb://${await fakeMongodb(t, () => undefined)}/?serverSelectionTimeoutMS=60000&connectTimeoutMS=60000`
  await t.rejects(connect(url, { limitMs: 200 }), { message: /is out of reach: no answer within 200 ms$/ })
  t.ok(performance.now() - started < 2_000)
})

t.test('a server from before the Stable API is refused: 4.4, 4.0, and one that lacks hello', async (t) => {
  const answers = [
    { ...hello, maxWireVersion: 9 },
    { ...hello, maxWireVersion: 7 },
    { ok: 0, code: 59, codeName: 'CommandNotFound', errmsg: "no such command: 'hello'" }
  ]
  for (const answer of answers) {
    const server = await fakeMongodb(t, () => answer)
    await t.rejects(connect(`mongodb://${server}/?directConnection=true&serverSelectionTimeoutMS=500`), {
      message: `student-course-api: MongoDB 5.0 or newer is needed (for the Stable API); ${server} is older`
    })
  }
  const server = await fakeMongodb(t, () => ({ ...hello, maxWireVersion: 13 }))
  const client = await connect(`mongodb://${server}/?directConnection=true`)
  t.ok(client, '5.0 is taken')
  await client.close()
})

t.test('nothing of a URL that does not parse is told, since any piece may be the password', async (t) => {
  for (const url of [
    'mongodb://dbuser:secret7', 'mongodb://dbuser:secret7#x@host/', 'mongodb://dbuser:sec/ret7@host/', 'mongodb://dbuser:secret7@host:27o17/', 'mongodb://secret7 @host',
    'mongodb://dbuser:secr?et7@host/', 'mongodb://a:1,secret7:x/', 'mongodb://host/?a=b@secret7', 'mongodb:secret7', 'mongodb://', 'mongodb://[secret7]/', 'secret7'
  ]) {
    const error: Error = await connect(url, { limitMs: 100 }).then(() => new Error('connected'), (error) => error)
    t.match(error.message, /^student-course-api: the MongoDB URL is invalid: it has the form mongodb:/, url)
    t.notMatch(error.message, /secret7|dbuser|et7/)
    t.equal(hosts(url), 'the given URL')
  }
})

t.test('the hosts of a URL are told without anything secret', async (t) => {
  t.equal(hosts('mongodb://user:pass@a:1,b:2/db?authSource=admin'), 'a:1,b:2')
  t.equal(hosts('mongodb://user:p@ss/w@a:1,b:2/db'), 'the given URL', 'where a password ends is not clear here')
  t.equal(hosts('mongodb+srv://cluster0.example.net'), 'cluster0.example.net')
  t.equal(hosts('mongodb://[2001:db8::1]:27017,[::1]/?tls=true'), '[2001:db8::1]:27017,[::1]')
  t.equal(hosts('mongodb://%2Ftmp%2Fa%20(b)!.sock/?directConnection=true'), '%2Ftmp%2Fa%20(b)!.sock')
  t.equal(hosts('mongodb://us%40er:p%40ss@host_1.example:27017/db?a=b'), 'host_1.example:27017')
})
