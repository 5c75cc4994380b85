import { createRequire } from 'node:module'
import { BSON, MongoClientClosedError, MongoDecompressionError, MongoError, MongoExpiredSessionError, MongoNetworkError, MongoNetworkTimeoutError, MongoParseError, MongoRuntimeError, MongoServerError, MongoUnexpectedServerResponseError, ObjectId } from 'mongodb'
import t from 'tap'
import { isGarbled, isOutage, isRetryableRead } from '../../../lib/mongodb/outage.js'

interface DriverErrors {
  MONGODB_ERROR_CODES: Record<string, number>
  isRetryableReadError (error: MongoError): boolean
}

const require = createRequire(import.meta.url)
// not exported: what the driver itself decides by
const driver: DriverErrors = require('mongodb/lib/error')
const pool: Record<string, new (...of: unknown[]) => Error> = require('mongodb/lib/cmap/errors')

/** An error of the driver's pool, by the name of its class. */
function poolError (name: string): Error {
  const PoolError = pool[name]
  if (!PoolError) throw new Error(`the driver has no ${name}`)
  return name === 'WaitQueueTimeoutError' ? new PoolError('x', 'a') : new PoolError({ address: 'a' })
}

const coded = (code: unknown) => Object.assign(new Error('x'), { code })

t.test('a read is asked for again after just the codes for which the driver does', async (t) => {
  const retryable = Object.values(driver.MONGODB_ERROR_CODES).filter((code) => driver.isRetryableReadError(new MongoServerError({ code })))
  t.ok(retryable.length >= 13)
  const codes = Array.from({ length: 20_000 }, (_, code) => code)
  t.strictSame(codes.filter((code) => isRetryableRead(new MongoServerError({ code, message: 'x' }))), retryable.sort((a, b) => a - b))
  for (const code of codes.slice(0, 500)) {
    const error = new MongoServerError({ code, message: 'x' })
    if (driver.isRetryableReadError(error)) t.ok(isOutage(error), `${code}`)
  }
})

t.test('a read is asked for again after a lost connection and after what old servers say', async (t) => {
  const errors = [
    new MongoNetworkError('x'), new MongoNetworkTimeoutError('x'), new MongoServerError({ message: 'not master' }), new MongoServerError({ message: 'node is recovering' }),
    ...['PoolClearedError', 'PoolClearedOnNetworkError'].map(poolError)
  ]
  for (const error of errors as MongoError[]) {
    t.ok(driver.isRetryableReadError(error), error.name)
    t.ok(isRetryableRead(error) && isOutage(error), error.name)
  }
  for (const code of ['EPIPE', 'ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'ERR_STREAM_DESTROYED']) t.ok(isRetryableRead(coded(code)) && isOutage(coded(code)), code)
})

t.test('all that the driver says of a client that is closed or has no connection is an outage', async (t) => {
  const errors = [
    new MongoExpiredSessionError(), new MongoClientClosedError(),
    ...['PoolClosedError', 'PoolClearedError', 'PoolClearedOnNetworkError'].map(poolError),
    poolError('WaitQueueTimeoutError')
  ]
  for (const error of errors) t.ok(isOutage(error), error.name)
  t.strictSame(errors.map(({ name }) => name).at(-1), 'MongoWaitQueueTimeoutError')
})

t.test('codes of an outage that no second read helps are an outage all the same, and other errors are none', async (t) => {
  for (const code of [13, 18, 24, 50, 64, 100, 112, 133, 202, 365, 462, 11601]) {
    t.ok(isOutage(coded(code)), `${code}`)
    t.notOk(isRetryableRead(coded(code)), `${code}`)
  }
  for (const error of [coded(2), coded(121), coded(11000), coded('ENOSPC'), new TypeError('x'), 'text', undefined]) {
    t.notOk(isOutage(error))
    t.notOk(isRetryableRead(error))
  }
})

/** What is thrown by a part of the driver that reads replies. */
function thrownBy (read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    return error
  }
}

t.test('a reply or a command that was garbled on its way is an outage, whatever the driver makes of it', async (t) => {
  const { OpMsgResponse, OpReply } = require('mongodb/lib/cmap/commands')
  const { MongoDBResponse } = require('mongodb/lib/cmap/wire_protocol/responses')
  const { decompressResponse } = require('mongodb/lib/cmap/wire_protocol/compression')
  const header = { length: 0, requestId: 1, responseTo: 1, opCode: 1 }
  const cases: [what: string, error: unknown][] = [
    ['kind of section', thrownBy(() => new OpMsgResponse(Buffer.alloc(0), header, Buffer.from([0, 0, 0, 0, 1])).parse())],
    ['count of an OP_REPLY', thrownBy(() => new OpReply(Buffer.alloc(0), header, Buffer.alloc(20, 0xff)).parse())],
    ['message shorter than its header', await decompressResponse(Buffer.alloc(8)).catch((error: unknown) => error)],
    ['length of a document', thrownBy(() => MongoDBResponse.make(Buffer.from([9, 0, 0, 0, 0])))],
    ['no document', thrownBy(() => MongoDBResponse.make(undefined))],
    ['type of an element', thrownBy(() => MongoDBResponse.make(Buffer.from([8, 0, 0, 0, 0x6e, 0x61, 0, 0])))],
    ['length of a document inside', thrownBy(() => BSON.deserialize(Buffer.from([16, 0, 0, 0, 2, 0x61, 0, 99, 0, 0, 0, 0x62, 0, 0, 0, 0])))],
    ['names', new MongoParseError('x')], ['names', new MongoRuntimeError('x')], ['names', new MongoDecompressionError('x')], ['names', new MongoUnexpectedServerResponseError('x')],
    ['MongoDB', new MongoServerError({ code: 22, message: 'Invalid BSON' })], ['MongoDB', new MongoServerError({ code: 17, message: 'x' })],
    ['an insert of several', Object.assign(new Error('x'), { name: 'MongoBulkWriteError', code: 22 })],
    ['SecantusDB', new MongoServerError({ code: 2, message: 'invalid BSON in body: invalid length or type code' })]
  ]
  for (const [what, error] of cases) t.ok(isGarbled(error) && isOutage(error) && !isRetryableRead(error), `${what}: ${error}`)
})

t.test('what is wrong with a request, or with us, is no garbled reply', async (t) => {
  const errors = [
    thrownBy(() => new ObjectId('x')), thrownBy(() => BSON.serialize('x' as unknown as object)), new TypeError('x'), new RangeError('x'),
    new MongoServerError({ code: 2, message: 'x' }), 'text', undefined
  ]
  for (const error of errors) t.notOk(isGarbled(error) || isOutage(error), String(error))
})
