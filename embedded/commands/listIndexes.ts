import { serialize } from 'bson'
import { fieldsOf } from '../bson.js'
import { Collection, namespaces } from '../collection.js'
import { MongoError } from '../errors.js'
import { specOf } from '../indexes.js'
import { cursorReply, type Run } from './command.js'

const ofIds = { v: 2, key: { _id: 1 }, name: '_id_' }

/** The indexes that are built, all in one batch. */
export const listIndexes: Run = (request, { storage }) => {
  const namespace = request.namespace()
  if (fieldsOf(request.required('cursor', 'object').value).length > 0) throw new MongoError('CommandNotSupported', 'The embedded store lists indexes in one batch')
  if (!namespaces(storage, namespace).includes(namespace)) throw new MongoError('NamespaceNotFound', `ns does not exist: ${namespace}`)
  const built = new Collection(storage, namespace).known.filter(index => index.built)
  return cursorReply(namespace, 0n, 'firstBatch', [ofIds, ...built.map(specOf)].map(spec => Buffer.from(serialize(spec))))
}
