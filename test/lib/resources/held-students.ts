import { setImmediate as turn } from 'node:timers/promises'
import { ObjectId, type Document } from 'mongodb'
import type { Test } from 'tap'
import { connect } from '../../../lib/mongodb/connect.js'
import type { StoredDocument } from '../../../lib/resources/mongo-records.js'
import { MongoRepository } from '../../../lib/resources/mongo-repository.js'
import { StoreGuard } from '../../../lib/mongodb/store-guard.js'
import { student } from '../../../schemas/student.js'
import { fakeMongodb, hello } from '../../fake-mongodb.js'

export const ids = Array.from({ length: 9 }, (_, n) => `66b3f0a1c2d4e5f60123456${n}`)

interface Held {
  command: Document
  answer: (document: Document) => void
  drop: () => void
}

/** Students on a server that holds its answers until the test gives them. */
export async function build (t: Test, urlOptions = '', kind: Document = {}, timeoutMs = 5_000) {
  const held: Held[] = []
  const address = await fakeMongodb(t, (command, drop) => {
    if (!['find', 'insert', 'killCursors', 'findAndModify', 'delete', 'bulkWrite', 'aggregate'].some((name) => command[name])) return { ...hello, ...kind }
    return new Promise<Document>((resolve) => held.push({ command, answer: resolve, drop }))
  })
  const client = await connect(`mongodb://${address}/?directConnection=true${urlOptions}`)
  t.teardown(() => client.close())
  const students = new MongoRepository(client.db('x').collection<StoredDocument>('students'), new StoreGuard(client, timeoutMs), student)
  /** The command that came as the n-th, once it is there. */
  const nth = async (n: number): Promise<Held> => {
    for (;;) {
      const one = held[n]
      if (one) return one
      await turn()
    }
  }
  return { client, students, nth, held }
}

/** The first 1000 records. */
export const all = { conditions: [], sort: [], limit: 1_000, offset: 0 }

export const cursor = (...documents: object[]) => ({ ok: 1, cursor: { id: 0n, ns: 'x.students', firstBatch: documents } })
export const stored = (id: string | undefined, name = 'x') => ({ name, _id: new ObjectId(id) })
export const idsOf = (command: Document) => (command.filter._id.$in ?? [command.filter._id]).map(String)

/** What bulkWrite answers where each of its changes met so many. */
export const bulkReply = (count: number, n = 1) => ({
  ok: 1,
  cursor: { id: 0n, ns: 'admin.$cmd.bulkWrite', firstBatch: Array.from({ length: count }, (_, idx) => ({ ok: 1, idx, n, nModified: n })) },
  nErrors: 0,
  nInserted: 0,
  nMatched: 0,
  nModified: 0,
  nUpserted: 0,
  nDeleted: 0
})
