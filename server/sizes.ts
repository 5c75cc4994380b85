import { Readable } from 'node:stream'
import type { FastifyInstance, onSendAsyncHookHandler } from 'fastify'
import { countSent } from '../lib/server/sent-bytes.js'
import { lastOnSend } from './last-on-send.js'

/** Counts the bytes of exports and of the progress of imports, so that their lines in the log have a size as well. */
export function countStreams (app: FastifyInstance): void {
  const onSend: onSendAsyncHookHandler = async (_request, reply, payload) => {
    if (payload instanceof Readable && !reply.hasHeader('content-length')) countSent(reply.raw)
    return payload
  }
  app.addHook('onRoute', (route) => {
    if (!route.config?.isLarge && !route.config?.isStreamed) return
    lastOnSend(route, onSend)
  })
}
