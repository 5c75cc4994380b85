import Fastify, { type FastifyInstance } from 'fastify'
import { ObjectId } from 'mongodb'
import t, { type Test } from 'tap'
import studentCourseApi, { type Student } from '../../../app.js'
import { build } from '../../build.js'
import { janeDoe } from '../../samples.js'

const id = '66b3f0a1c2d4e5f601234567'
const shown = { id, name: janeDoe.name, course: janeDoe.course, gpa: 3 }

/** A student with fields that the API does not show, in a host that looks at what it answers. */
async function inHost (t: Test, observe: (host: FastifyInstance) => void) {
  const { database, students } = await build(t)
  await students.insertOne({ _id: new ObjectId(id), ...shown, email: 5, hashed_password: 'hidden', nested: { secret: 'hidden' } } as object)
  const host = Fastify()
  t.teardown(() => host.close())
  observe(host)
  await host.register(studentCourseApi, { client: database.client, database: database.databaseName })
  const [one, list, changed] = [
    await host.inject(`/students/${id}`),
    await host.inject('/students/'),
    await host.inject({ method: 'PUT', url: `/students/${id}`, headers: { 'content-type': 'application/json' }, payload: { gpa: 3.5 } })
  ]
  return { one, list, changed }
}

const observers: Record<string, (host: FastifyInstance) => void> = {
  'a serializer of replies': (host) => host.setReplySerializer((payload) => JSON.stringify(payload)),
  'a hook that copies the payload by spreading': (host) => host.addHook('preSerialization', async (_request, _reply, payload) => ({ ...(payload as object) })),
  'a hook that clones the payload': (host) => host.addHook('preSerialization', async (_request, _reply, payload) => structuredClone(payload)),
  'a hook that copies the payload through JSON': (host) => host.addHook('preSerialization', async (_request, _reply, payload) => JSON.parse(JSON.stringify(payload))),
  'a hook that copies the payload by its entries': (host) => host.addHook('preSerialization', async (_request, _reply, payload) => Object.fromEntries(Object.entries(payload as object))),
  'a hook that only looks at the payload': (host) => host.addHook('preSerialization', async (_request, _reply, payload) => {
    JSON.stringify(payload)
    return payload
  })
}

for (const [title, observe] of Object.entries(observers)) {
  t.test(`${title} of a host's finds students as the schema shows them, and nothing else`, async (t) => {
    const { one, list, changed } = await inHost(t, observe)
    for (const { statusCode, body } of [one, list, changed]) {
      t.equal(statusCode, 200)
      t.notMatch(body, /hidden|bson|Buffer/)
    }
    t.strictSame(JSON.parse(one.body), shown)
    t.strictSame(JSON.parse(list.body), { students: [shown] })
    t.strictSame(JSON.parse(changed.body), { ...shown, gpa: 3.5 })
  })
}

t.test('what a host\'s hook changes in the payload is answered', async (t) => {
  const { one, list, changed } = await inHost(t, (host) => host.addHook('preSerialization', async (_request, _reply, payload) => {
    for (const student of (payload as { students?: { name: string }[] }).students ?? [payload as { name: string }]) student.name = 'changed'
    return payload
  }))
  for (const answer of [one.json(), list.json().students[0], changed.json()]) t.equal(answer.name, 'changed')
})

const { course: _course, ...withoutCourse } = shown

/** What a host's hook does to a student, and what is answered then. */
const changes: Record<string, [(student: Partial<Student>) => void, object]> = {
  adds: [(student) => { student.email = 'none@example.com' }, { ...shown, email: 'none@example.com' }],
  'takes away': [(student) => { delete student.course }, withoutCourse]
}

for (const [what, [change, expected]] of Object.entries(changes)) {
  t.test(`what a host's hook ${what} is answered so`, async (t) => {
    const { one, list, changed } = await inHost(t, (host) => host.addHook('preSerialization', async (_request, _reply, payload) => {
      for (const student of (payload as { students?: Partial<Student>[] }).students ?? [payload as Partial<Student>]) change(student)
      return payload
    }))
    t.strictSame(one.json(), expected)
    t.strictSame(list.json(), { students: [expected] })
    t.strictSame(changed.json(), { ...expected, gpa: 3.5 })
  })
}

t.test('what one request\'s hook changes shows in no other request that shared its round trip', async (t) => {
  const { database, students } = await build(t)
  await students.insertOne({ _id: new ObjectId(id), ...janeDoe })
  const host = Fastify()
  t.teardown(() => host.close())
  host.addHook('preSerialization', async ({ headers }, _reply, payload) => {
    for (const student of (payload as { students?: { name: unknown }[] }).students ?? [payload as { name: unknown }]) student.name = `${student.name} ${headers['x-number']}`
    return payload
  })
  await host.register(studentCourseApi, { client: database.client, database: database.databaseName })
  for (const url of ['/students/', `/students/${id}`]) {
    const answers = await Promise.all(Array.from({ length: 5 }, async (_, n) => host.inject({ url, headers: { 'x-number': String(n) } })))
    const names = answers.map((answer) => (answer.json().students?.[0] ?? answer.json()).name)
    t.strictSame(names, names.map((_, n) => `${janeDoe.name} ${n}`))
  }
})
