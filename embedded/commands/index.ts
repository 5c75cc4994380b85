import { Double, serialize } from 'bson'
import { noDocument, types, type Field } from '../bson.js'
import { MongoError } from '../errors.js'
import { checkField, checkKind, type Request } from '../request.js'
import { commands, genericFields, kindOf, outsideApi, type CommandName, type CommandRow } from '../surface.js'
import { aggregate } from './aggregate.js'
import type { Context, Run } from './command.js'
import { bulkWrite } from './bulkWrite.js'
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
import { listIndexes } from './listIndexes.js'
import { ping } from './ping.js'

/** Fields of a transaction: this store is no member of a replica set. */
const transactionFields = ['txnNumber', 'startTransaction', 'autocommit']

/** What each command of the surface does. */
const handlers: Record<CommandName, Run> = {
  aggregate,
  bulkWrite,
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
  ismaster: isMaster,
  killCursors,
  listIndexes,
  ping
}

/** Runs a command; whatever it refuses becomes the error reply that MongoDB would send. */
export async function execute (request: Request, context: Context): Promise<Uint8Array> {
  const name = commandOf(request)
  checkFields(request, commands[name])
  return handlers[name](request, context)
}

export function errorReply (error: unknown): Uint8Array {
  const refusal = error instanceof MongoError ? error : new MongoError('InternalError', `The embedded store failed: ${String(error)}`)
  const { code, codeName, message, details } = refusal
  return serialize({ ok: new Double(0), errmsg: message, code, codeName, ...details })
}

function commandOf (request: Request): CommandName {
  const { command } = request
  const row: CommandRow | undefined = isServed(command) ? commands[command] : undefined
  if (checkApi(request) && (row?.outsideApi === true || outsideApi.includes(command))) {
    throw new MongoError('APIStrictError', `Provided apiStrict:true, but the command ${command} is not in API Version 1`)
  }
  if (!isServed(command)) throw new MongoError('CommandNotFound', `no such command: '${command}'`)
  return command
}

function isServed (command: string): command is CommandName {
  return Object.hasOwn(commands, command)
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

function checkFields (request: Request, row: CommandRow): void {
  for (const [name, field] of request.fields) {
    if (name === request.command) continue
    const kind = kindOf(row, name) ?? kindOf(genericFields, name)
    if (kind !== undefined) checkKind(request.command, field, kind)
    else if (row.lenient !== true) refuse(request.command, field, row)
  }
  for (const [name] of request.sequences) checkField(request.command, { name, type: types.array, value: noDocument }, row)
}

function refuse (command: string, field: Field, row: CommandRow): void {
  const { name } = field
  if (transactionFields.includes(name)) throw new MongoError('IllegalOperation', 'Transaction numbers are only allowed on a replica set member or mongos')
  if (name === 'writeConcern') throw new MongoError('InvalidOptions', 'Command does not support writeConcern')
  checkField(command, field, genericFields.refused.includes(name) ? genericFields : row)
}
