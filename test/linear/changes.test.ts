import { randomUUID } from 'node:crypto'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { connect } from '../../lib/mongodb/connect.js'
import { BSON_OPTIONS } from '../../lib/mongodb/driver-options.js'
import { StoreGuard } from '../../lib/mongodb/store-guard.js'
import type { StoredDocument } from '../../lib/resources/mongo-records.js'
import { MongoRepository } from '../../lib/resources/mongo-repository.js'
import { student } from '../../schemas/student.js'
import { janeDoe } from '../samples.js'
import { client, url } from '../store.js'
import { isLinearizable, type Operation } from './history.js'
import { anyChance, operate } from './record.js'

const HISTORIES = Number(process.env.FUZZ_HISTORIES ?? 300)

/** So many records are changed at the same time, so that changes of different ones share commands. */
const AT_ONCE = 16

const database = client.db(`test_${randomUUID()}`)
const other = await connect(url)
t.teardown(async () => {
  await database.dropDatabase()
  await other.close()
})

/** As two processes of the API see the same collection. */
const processes = [client, other].map((client) => {
  const guard = new StoreGuard(client, 10_000)
  t.teardown(() => guard.close())
  return new MongoRepository(client.db(database.databaseName).collection<StoredDocument>('students', BSON_OPTIONS), guard, student)
})

/** A few clients each make a few operations on one new record. */
async function record (): Promise<Operation[]> {
  const [process] = processes
  const id = new ObjectId().toHexString()
  await process?.create({ ...janeDoe, name: 'n0', gpa: 0 }, id)
  const operations: Operation[] = []
  await Promise.all(Array.from({ length: 2 + anyChance(3) }, async () => {
    const students = processes[anyChance(processes.length)] as (typeof processes)[number] // one of the two
    for (let left = 1 + anyChance(3); left > 0; left--) operations.push(await operate(students, id, anyChance))
  }))
  return operations
}

t.test(`${HISTORIES} histories of a record that many clients change at once can be put in one order`, { timeout: 0 }, async (t) => {
  let violations = 0
  let overlapping = 0
  for (let done = 0; done < HISTORIES; done += AT_ONCE) {
    for (const operations of await Promise.all(Array.from({ length: Math.min(AT_ONCE, HISTORIES - done) }, record))) {
      if (operations.some(({ began, ended }) => operations.some((later) => later.began > began && later.began < ended))) overlapping++
      if (isLinearizable(operations, JSON.stringify(['n0', 0]))) continue
      violations++
      t.comment(operations.toSorted((a, b) => a.began - b.began).map(({ what, began, ended }) => `${began}-${ended} ${what}`).join('\n'))
    }
  }
  t.equal(violations, 0)
  t.ok(overlapping > HISTORIES / 2, `${overlapping} with operations at the same time`)
})
