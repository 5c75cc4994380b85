import { cursorReply, type Run } from './command.js'

export const getMore: Run = async (request, { cursors }) => {
  const namespace = request.namespace('collection')
  const id = request.required('getMore', 'int64').value.readBigInt64LE()
  const { scan } = cursors.use(id, namespace)
  const documents = await scan.batch(request.count('batchSize', 0) || Infinity)
  if (scan.done) cursors.kill(id)
  return cursorReply(namespace, scan.done ? 0n : id, 'nextBatch', documents)
}
