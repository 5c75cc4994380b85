import { ObjectId, type Document } from 'mongodb'
import t from 'tap'
import { connect } from '../../../lib/mongodb/connect.js'
import { MongoRepository } from '../../../lib/resources/mongo-repository.js'
import { StoreGuard } from '../../../lib/mongodb/store-guard.js'
import { fakeMongodb, hello, reply } from '../../fake-mongodb.js'
import { student } from '../../../schemas/student.js'
import { janeDoe } from '../../samples.js'

const [a, b] = ['66b3f0a1c2d4e5f601234560', '66b3f0a1c2d4e5f601234561']

t.test('an answer too many behind garbage goes to no other request', async (t) => {
  const asked: string[] = []
  const address = await fakeMongodb(t, (command, _drop, write): Document => {
    if (!command.find) return hello
    const id = String(command.filter._id)
    asked.push(id)
    if (id === b) return { ok: 1, cursor: { id: 0n, ns: 'x.students', firstBatch: [{ _id: new ObjectId(b), ...janeDoe }] } }
    // one for each half of a command whose length was too short
    const refused = { ok: 0, code: 22, codeName: 'InvalidBSON', errmsg: 'not a document' }
    write(Buffer.concat([reply(Buffer.alloc(8), refused), reply(Buffer.alloc(8), { ok: 1, cursor: { id: 0n, ns: 'x.students', firstBatch: [] } })]))
    return refused
  })
  const client = await connect(`mongodb://${address}/?directConnection=true&maxPoolSize=4`)
  const guard = new StoreGuard(client, 1_000)
  t.teardown(async () => {
    guard.close()
    await client.close()
  })
  const students = new MongoRepository(client.db('x').collection('students'), guard, student)
  for (let round = 0; round < 5; round++) {
    await t.rejects(students.find(a), { code: 'SCA_STORE_UNAVAILABLE', statusCode: 503 })
    t.match(await students.find(b), { id: b })
  }
  t.strictSame(asked, Array.from({ length: 5 }, () => [a, b]).flat(), 'nothing was asked twice')
})
