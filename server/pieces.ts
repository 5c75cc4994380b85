import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { pend } from '../lib/server/unread.js'
import { lastOnSend } from './last-on-send.js'

/** A longer answer goes in pieces, since the kernel copies megabytes of it at once, for each client, while all other requests wait. */
const LEAST_BYTES = 1024 * 1024

const PIECE_BYTES = 64 * 1024

/** Sends long lists in pieces, one in each turn of the event loop, however many clients there are. It has to come after what changes their bytes. */
export function sendInPieces (app: FastifyInstance): void {
  let turn = Promise.resolve()
  const nextTurn = async (): Promise<void> => {
    turn = turn.then(async () => setImmediate())
    return turn
  }
  const onSend = async (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> => {
    if (!Buffer.isBuffer(payload) || payload.length < LEAST_BYTES) return payload
    reply.header('content-length', payload.length)
    return Readable.from(piecesOf(payload, request, nextTurn), { objectMode: false, highWaterMark: PIECE_BYTES })
  }
  app.addHook('onRoute', (route) => {
    if (!route.config?.isLarge || route.method === 'HEAD') return
    lastOnSend(route, onSend)
  })
}

async function * piecesOf (bytes: Buffer, { raw }: FastifyRequest, nextTurn: () => Promise<void>): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    await nextTurn()
    pend(raw, bytes.length - at - PIECE_BYTES)
    yield bytes.subarray(at, at + PIECE_BYTES)
  }
  pend(raw, 0)
}
