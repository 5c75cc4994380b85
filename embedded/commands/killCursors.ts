import { Long } from 'bson'
import { fieldsOf } from '../bson.js'
import { checkKind } from '../request.js'
import { ok, type Run } from './command.js'

export const killCursors: Run = (request, { cursors }) => {
  const cursorsKilled: Long[] = []
  const cursorsNotFound: Long[] = []
  for (const field of fieldsOf(request.required('cursors', 'array').value)) {
    checkKind('killCursors', field, 'int64')
    const id = field.value.readBigInt64LE()
    const list = cursors.kill(id) ? cursorsKilled : cursorsNotFound
    list.push(Long.fromBigInt(id))
  }
  return ok({ cursorsKilled, cursorsNotFound, cursorsAlive: [], cursorsUnknown: [] })
}
