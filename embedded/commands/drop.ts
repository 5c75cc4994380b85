import { afterPrefix, collectionPrefix } from '../keys.js'
import { ok, type Command } from './command.js'

export const drop: Command = {
  fields: {},
  run: async (request, { storage }) => {
    const ns = request.namespace()
    const prefix = collectionPrefix(ns)
    const removed = await storage.removeRange(prefix, afterPrefix(prefix))
    return removed === 0 ? ok() : ok({ nIndexesWas: 1, ns })
  }
}

export const dropDatabase: Command = {
  fields: {},
  run: async (request, { storage }) => {
    const prefix = Buffer.from(`${request.database}.`)
    const removed = await storage.removeRange(prefix, afterPrefix(prefix))
    return removed === 0 ? ok() : ok({ dropped: request.database })
  }
}
