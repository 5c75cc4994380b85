import Fastify from 'fastify'
import { ObjectId } from 'mongodb'
import t from 'tap'
import studentCourseApi from '../../app.js'
import { fakeMongodb, hello, reply } from '../fake-mongodb.js'
import { janeDoe } from '../samples.js'

t.test('a document that was garbled on its way is 503, by itself and in a list', async (t) => {
  const id = '66b3f0a1c2d4e5f601234560'
  const address = await fakeMongodb(t, (command, _drop, write) => {
    if (!command.find) return hello
    const message = reply(Buffer.alloc(8), { ok: 1, cursor: { id: 0n, ns: 'x.students', firstBatch: [{ _id: new ObjectId(id), ...janeDoe }] } })
    message[message.indexOf('\x02name\0')] = 0x6e // which is no type
    write(message)
    return undefined
  })
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(studentCourseApi, { url: `mongodb://${address}/?directConnection=true` })
  for (const path of [`/students/${id}`, '/students/']) {
    const { statusCode, headers, body } = await app.inject(path)
    t.match({ statusCode, headers, body }, { statusCode: 503, headers: { 'retry-after': '2' }, body: /out of reach. Try again later\./ }, path)
  }
})
