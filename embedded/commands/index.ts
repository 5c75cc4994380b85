import { Double, serialize } from 'bson'
import { fieldsOf, noDocument, text } from '../bson.js'
import { MongoError } from '../errors.js'
import { checkKind, type Kind, type Request } from '../request.js'
import { aggregate } from './aggregate.js'
import type { Command, Context } from './command.js'
import { count } from './count.js'
import { createIndexes } from './createIndexes.js'
import { deleteCommand } from './delete.js'
import { drop, dropDatabase } from './drop.js'
import { endSessions } from './endSessions.js'
import { find } from './find.js'
import { findAndModify } from './findAndModify.js'
import { getMore } from './getMore.js'
import { hello, isMaster } from './hello.js'
import { insert } from './insert.js'
import { killCursors } from './killCursors.js'
import { ping } from './ping.js'

/** The whole surface. */
const commands = new Map<string, Command>(Object.entries({
  aggregate,
  count,
  createIndexes,
  delete: deleteCommand,
  drop,
  dropDatabase,
  endSessions,
  find,
  findAndModify,
  getMore,
  hello,
  insert,
  isMaster,
  ismaster: isMaster,
  killCursors,
  ping
}))

/** Commands outside Stable API version 1: the two of ours, and those of MongoDB that a client is likely to try. */
const outsideApi = new Set(['isMaster', 'ismaster', 'buildInfo', 'collStats', 'connectionStatus', 'dbStats', 'distinct', 'getParameter', 'mapReduce',
  'serverStatus', 'validate'])

/** Fields that any command may carry. Only those that change an answer are looked at. */
const genericFields: Record<string, Kind> = {
  $db: 'string',
  lsid: 'object',
  $clusterTime: 'object',
  $readPreference: 'object',
  apiVersion: 'string',
  apiStrict: 'boolean',
  apiDeprecationErrors: 'boolean',
  maxTimeMS: 'number',
  readConcern: 'object',
  writeConcern: 'object',
  comment: 'any'
}

const readConcerns = ['local', 'majority', 'available']

/** Runs a command; whatever it refuses becomes the error reply that MongoDB would send. */
export async function execute (request: Request, context: Context): Promise<Uint8Array> {
  const command = commandOf(request)
  checkFields(request, command)
  checkReadConcern(request)
  return command.run(request, context)
}

export function errorReply (error: unknown): Uint8Array {
  const refusal = error instanceof MongoError ? error : new MongoError('InternalError', `The embedded store failed: ${String(error)}`)
  const { code, codeName, message, details } = refusal
  return serialize({ ok: new Double(0), errmsg: message, code, codeName, ...details })
}

function commandOf (request: Request): Command {
  const name = request.command
  const strict = checkApi(request)
  if (strict && outsideApi.has(name)) {
    throw new MongoError('APIStrictError', `Provided apiStrict:true, but the command ${name} is not in API Version 1`)
  }
  const command = commands.get(name)
  if (command === undefined) throw new MongoError('CommandNotFound', `no such command: '${name}'`)
  return command
}

/** Whether the client asks for nothing outside the Stable API. */
function checkApi (request: Request): boolean {
  const strict = request.boolean('apiStrict', false)
  if (!request.has('apiVersion')) {
    if (!strict && !request.boolean('apiDeprecationErrors', false)) return false
    throw new MongoError('Location4886600', 'Provided apiStrict and/or apiDeprecationErrors without passing apiVersion')
  }
  if (request.string('apiVersion') !== '1') throw new MongoError('APIVersionError', 'API version must be "1"')
  return strict
}

function checkFields (request: Request, command: Command): void {
  for (const [name, field] of request.fields) {
    if (name === request.command) continue
    const kind = command.fields[name] ?? genericFields[name]
    if (kind !== undefined) checkKind(request.command, field, kind)
    else if (command.lenient !== true) throw unserved(request, command, name)
  }
  for (const name of request.sequences.keys()) if (command.fields[name] !== 'array') throw unserved(request, command, name)
}

function unserved (request: Request, command: Command, name: string): MongoError {
  if (name === 'txnNumber' || name === 'startTransaction' || name === 'autocommit') {
    return new MongoError('IllegalOperation', 'Transaction numbers are only allowed on a replica set member or mongos')
  }
  return command.unsupported?.includes(name)
    ? new MongoError('CommandNotSupported', `The embedded store does not support ${request.command} with ${name}`)
    : new MongoError('IDLUnknownField', `BSON field '${request.command}.${name}' is an unknown field.`)
}

function checkReadConcern (request: Request): void {
  const level = fieldsOf(request.document('readConcern') ?? noDocument).find(({ name }) => name === 'level')
  if (level === undefined) return
  checkKind('readConcern', level, 'string')
  if (!readConcerns.includes(text(level.value))) throw new MongoError('InvalidOptions', `The embedded store does not support read concern ${text(level.value)}`)
}
