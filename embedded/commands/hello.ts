import { Long } from 'bson'
import { maxDocumentBytes } from '../bson.js'
import { maxMessageBytes } from '../wire.js'
import { ok, type Run } from './command.js'
import { maxWriteBatch } from './write.js'

const limits = {
  maxBsonObjectSize: maxDocumentBytes,
  maxMessageSizeBytes: maxMessageBytes,
  maxWriteBatchSize: maxWriteBatch,
  logicalSessionTimeoutMinutes: 30,
  minWireVersion: 0,
  // MongoDB 8.0
  maxWireVersion: 25,
  readOnly: false
}

/**
 * No topologyVersion (it would oblige to answer when something changes rather than at once)
 * and no setName (it would make every write carry a transaction number).
 */
export const hello: Run = (_request, { connectionId }) => ok({
  helloOk: true, isWritablePrimary: true, ...limits, localTime: new Date(), connectionId: Long.fromNumber(connectionId)
})

/** The same before its renaming; drivers without the Stable API begin with it. */
export const isMaster: Run = (_request, { connectionId }) => ok({
  helloOk: true, ismaster: true, ...limits, localTime: new Date(), connectionId: Long.fromNumber(connectionId)
})
