import { cursorReply, type Run } from './command.js'

export const getMore: Run = async (request, { cursors }) => {
  request.string('collection')
  const batchSize = request.count('batchSize', 0) || Infinity
  const namespace = request.namespace('collection')
  const id = request.required('getMore', 'int64').value.readBigInt64LE()
  const { scan } = cursors.use(id, namespace)
  const documents = await scan.batch(batchSize)
  if (scan.done) cursors.kill(id)
  return cursorReply(namespace, scan.done ? 0n : id, 'nextBatch', documents)
}
