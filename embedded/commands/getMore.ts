import { cursorReply, type Run } from './command.js'

export const getMore: Run = async (request, { cursors }) => {
  request.string('collection')
  const batchSize = request.count('batchSize', 0) || Infinity
  const namespace = request.namespace('collection')
  const id = request.required('getMore', 'int64').value.readBigInt64LE()
  const { batches } = cursors.use(id, namespace)
  const documents = await batches.batch(batchSize)
  if (batches.done) cursors.kill(id)
  return cursorReply(namespace, batches.done ? 0n : id, 'nextBatch', documents)
}
