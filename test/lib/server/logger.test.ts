import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { MongoServerError } from 'mongodb'
import t from 'tap'
import { loggerOptions, requestIds, RequestLog, requestLogger, traceIdOf } from '../../../lib/server/logger.js'

t.test('a terminal gets pretty lines, anything else JSON', async (t) => {
  const destination = { write () {} }
  t.not(loggerOptions({ level: 'info', isTerminal: true, destination }).stream, destination)
  t.equal(loggerOptions({ level: 'info', isTerminal: false, destination }).stream, destination)
})

t.test('on a terminal a request is one colored line: method, path, status, time, size and user', async (t) => {
  const lines: string[] = []
  const destination = { write: (line: string) => { lines.push(line) } }
  const noColor = process.env.NO_COLOR
  t.teardown(() => {
    if (noColor === undefined) delete process.env.NO_COLOR
    else process.env.NO_COLOR = noColor
  })
  for (const isColored of [true, false]) {
    process.env.NO_COLOR = isColored ? '' : '1'
    const app = Fastify({ logger: loggerOptions({ level: 'debug', isTerminal: true, destination, userOf: ({ url }) => url === '/stream' ? undefined : 'alice' }), logController: new RequestLog(() => {}) })
    app.get('/students/:id', async (request, reply) => reply.code(Number((request.params as { id: string }).id)).send('x'.repeat(12_345)))
    app.get('/long', async () => 'x'.repeat(2_000_000))
    app.get('/broken', async () => { throw new Error('planted') })
    app.get('/slow', async () => sleep(20))
    app.get('/stream', async () => Readable.from(['x']))
    for (const path of ['/students/200?secret=1', '/students/304', '/students/404', '/students/503', '/long', '/broken', '/slow', '/stream']) await app.inject(path)
    app.log.info('other')
    const text = lines.splice(0).join('')
    const plain = stripVTControlCharacters(text)
    const has = (pattern: RegExp) => t.match(plain, pattern)
    has(/^\[\d\d:\d\d:\d\d\] DEBUG: GET \/students\/200 incoming request\n/)
    has(/INFO: GET \/students\/200 200 [\d.]+ ms 12\.3 kB alice\n/)
    has(/INFO: GET \/students\/304 304 [\d.]+ ms/)
    has(/INFO: GET \/long 200 [\d.]+ ms 2\.0 MB alice\n/)
    has(/ERROR: [^]*planted[^]*INFO: GET \/broken 500 [\d.]+ ms \d+ B alice\n/)
    has(/INFO: GET \/stream 200 [\d.]+ ms\n/)
    has(/INFO: GET \/slow 200 \d\d+ ms/)
    has(/INFO: other\n/)
    t.notMatch(plain, /secret/)
    if (!isColored) t.equal(text, plain)
    else for (const [code, color] of [[200, 32], [304, 36], [404, 33], [503, 31]]) t.ok(text.includes(`\u001b[${color}m${code}`), `${code} has the color ${color}`)
  }
})

t.test('a logged error holds no fields of its own: they may be what a user sent', async (t) => {
  const { err } = loggerOptions({ level: 'info', isTerminal: false }).serializers
  const cause = Object.assign(new TypeError('inner'), { document: { name: 'secret' } })
  const error = Object.assign(new Error('outer', { cause }), { code: 'X', keyValue: { email: 'secret' } })
  const logged = err(error)
  t.match(logged, { type: 'Error', message: 'outer', stack: /outer/, code: 'X', cause: { type: 'TypeError', message: 'inner' } })
  t.notMatch(JSON.stringify(logged), /secret/)
})

t.test('what stands for more in a replacement is logged as it came', async (t) => {
  const { err } = loggerOptions({ level: 'info', isTerminal: false }).serializers
  const message = "a $' b $& c $$ d"
  const logged = err(new Error(message))
  t.match(logged, { message, stack: `Error: ${message}\n` })
})

t.test('of an error of MongoDB the code is logged, not the message, which repeats values', async (t) => {
  const { err } = loggerOptions({ level: 'info', isTerminal: false }).serializers
  const logged = err(new MongoServerError({ code: 121, codeName: 'DocumentValidationFailure', message: 'failed: "secret"' }))
  t.match(logged, { type: 'MongoServerError', message: 'DocumentValidationFailure', code: 121 })
  t.match(logged.stack, /^MongoServerError: DocumentValidationFailure\n {4}at /)
  t.notMatch(JSON.stringify(logged), /secret/)
  const unnamed = err(new MongoServerError({ code: 121, message: 'failed: "secret"' }))
  t.match(unnamed, { type: 'MongoServerError', message: 'code 121', stack: /^MongoServerError: code 121\n {4}at / })
  t.notMatch(JSON.stringify(unnamed), /secret/)
})

t.test('of a damaged document the message is logged, which has its id alone', async (t) => {
  const { err } = loggerOptions({ level: 'info', isTerminal: false }).serializers
  const message = "The embedded store has damaged data, the document ObjectId('66b3f0a1c2d4e5f601234567') of college.students: restore it from a backup"
  t.match(err(new MongoServerError({ code: 301, codeName: 'DataCorruptionDetected', message })), { message, code: 301 })
})

t.test('a request is one line once it is answered, and one more at debug when it comes', async (t) => {
  for (const [level, expected] of [['info', ['request completed']], ['debug', ['incoming request', 'request completed']]] as const) {
    const lines: { msg: string }[] = []
    const stream = { write: (line: string) => { lines.push(JSON.parse(line)) } }
    const app = Fastify({ logger: { ...loggerOptions({ level, isTerminal: false }), stream }, logController: new RequestLog(() => {}) })
    app.get('/a', async () => 'x')
    await app.inject('/a?secret=1')
    t.strictSame(lines.map(({ msg }) => msg), expected)
    t.notMatch(JSON.stringify(lines), /secret/)
    t.match(lines.at(-1), { req: { method: 'GET', path: '/a', ip: '127.0.0.1', route: '/a' }, res: { statusCode: 200, size: 1 }, responseTime: Number, reqId: String })
  }
})

t.test('an answer that could not be sent is logged as an error', async (t) => {
  const calls: unknown[] = []
  const log = { error: (...args: unknown[]) => calls.push(args) }
  const error = new Error('aborted')
  const answered: FastifyReply[] = []
  const requestLog = new RequestLog((_, reply) => answered.push(reply))
  for (const raw of [{}, { stream: { rstCode: 0 } }]) {
    const reply = { log, raw, elapsedTime: 1 } as unknown as FastifyReply // no more of it is asked for
    requestLog.requestCompleted(error, {} as FastifyRequest, reply)
    t.strictSame(calls.splice(0), [[{ req: {}, res: reply, responseTime: 1, err: error }, 'request errored']])
    t.strictSame(answered.splice(0), [reply])
  }
  const aborted = { log, raw: { stream: { rstCode: 8 } } } as unknown as FastifyReply // CANCEL, RFC 9113 section 7
  requestLog.requestCompleted(undefined, {} as FastifyRequest, aborted)
  t.strictSame([calls, answered], [[], []], 'an HTTP/2 stream that the client ended has no answer')
})

t.test('a request has an id of its own in its lines, unlike those of another process', async (t) => {
  const [one, other] = [requestIds(), requestIds()]
  const ids = [one({ headers: {} }), one({ headers: {} }), other({ headers: {} }), other({ headers: {} })]
  t.equal(new Set(ids).size, 4)
  const lines: Record<string, unknown>[] = []
  const logger = { level: 'info', stream: { write: (line: string) => lines.push(JSON.parse(line)) } }
  const app = Fastify({ logger, genReqId: () => 'the-id', childLoggerFactory: requestLogger, logController: new RequestLog(() => {}) })
  app.get('/', async () => 'x')
  app.get('/quiet', { logLevel: 'error' }, async () => 'x')
  await app.inject('/quiet')
  t.strictSame(lines, [], 'a route may have a level of its own')
  await app.inject('/')
  t.match(lines, [{ reqId: 'the-id', msg: 'request completed' }])
})

t.test('the id of a trace is taken from a well-formed traceparent alone', async (t) => {
  const id = '0af7651916cd43dd8448eb211c80319c'
  const of = (traceparent?: string | string[]) => traceIdOf({ headers: { traceparent } as Record<string, string> }) // Node has it as text
  for (const good of [`00-${id}-b7ad6b7169203331-01`, `01-${id}-b7ad6b7169203331-01-more`, `cc-${id}-b7ad6b7169203331-00`]) t.equal(of(good), id, good)
  for (const bad of [
    undefined, ['x'], '', id, `00-${id}-b7ad6b7169203331-01-more`, `ff-${id}-b7ad6b7169203331-01`, `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, `00-${id}-${'0'.repeat(16)}-01`,
    `00-${id.toUpperCase()}-b7ad6b7169203331-01`, `00-${id}-b7ad6b7169203331-0`
  ]) t.equal(of(bad), undefined, String(bad))
})
