import { AsyncLocalStorage } from 'node:async_hooks'
import type { FastifyInstance } from 'fastify'
import { operationChannel } from '../lib/mongodb/channels.js'

/** What a request has waited for, in milliseconds. */
interface Spent {
  databaseMs: number
  /** How many operations are under way: one may be part of another. */
  underWay: number
  since: number
}

/** `Server-Timing` (w3.org/TR/server-timing): how long the answer took until its headers, and how long of that it waited for the database. */
export function serverTiming (app: FastifyInstance): void {
  const requests = new AsyncLocalStorage<Spent>()
  operationChannel.start.subscribe(() => {
    const spent = requests.getStore()
    if (spent && spent.underWay++ === 0) spent.since = performance.now()
  })
  operationChannel.asyncEnd.subscribe(() => {
    const spent = requests.getStore()
    if (spent && --spent.underWay === 0) spent.databaseMs += performance.now() - spent.since
  })
  app.addHook('onRequest', (_request, _reply, done) => requests.run({ databaseMs: 0, underWay: 0, since: 0 }, done))
  app.addHook('onSend', async (_request, reply) => {
    const { databaseMs } = requests.getStore() as Spent // as the first hook of the request set it
    reply.header('server-timing', `total;dur=${reply.elapsedTime.toFixed(2)}, db;dur=${databaseMs.toFixed(2)}`)
  })
}
