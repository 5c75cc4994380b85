import { createRequire } from 'node:module'
import { MongoClientClosedError, MongoError, MongoExpiredSessionError, MongoNetworkError, MongoNetworkTimeoutError, MongoServerError } from 'mongodb'
import t from 'tap'
import { isOutage, isRetryableRead } from '../../lib/outage.js'

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
