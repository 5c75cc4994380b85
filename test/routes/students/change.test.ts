import { Double, ObjectId } from 'mongodb'
import t from 'tap'
import { build } from '../../build.js'
import { unknownId } from '../../samples.js'

t.test('an update changes the given fields and leaves the others', async (t) => {
  const { inject, create } = await build(t)
  const student = await create()
  const answer = await inject('PUT', `/students/${student.id}`, { course: 'Optics', gpa: '3.9' })
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), { ...student, course: 'Optics', gpa: 3.9 })
  t.strictSame((await inject('GET', `/students/${student.id}`)).json(), answer.json())
})

t.test('an updated gpa is stored as a double', async (t) => {
  const { inject, create, students } = await build(t)
  const { id } = await create()
  await inject('PUT', `/students/${id}`, { gpa: 2 })
  const stored = await students.findOne({ _id: new ObjectId(id) }, { promoteValues: false })
  t.strictSame(stored?.gpa, new Double(2))
})

t.test('null and missing fields are ignored, and an empty update answers the stored student', async (t) => {
  const { inject, create } = await build(t)
  const student = await create()
  const nothing = { name: null, email: null, course: null, gpa: null }
  for (const body of [{}, nothing, { name: null }, { id: unknownId, _id: unknownId, admin: true }]) {
    const answer = await inject('PUT', `/students/${student.id}`, body)
    t.equal(answer.statusCode, 200, JSON.stringify(body))
    t.strictSame(answer.json(), student)
  }
  const answer = await inject('PUT', `/students/${student.id}`, { ...nothing, name: 'Jane' })
  t.strictSame(answer.json(), { ...student, name: 'Jane' })
})

t.test('an update keeps to the bounds of a new student', async (t) => {
  const { inject, create } = await build(t)
  const student = await create()
  const answer = await inject('PUT', `/students/${student.id}`, { name: '', email: 'x', course: 'y'.repeat(501), gpa: -1 })
  t.equal(answer.statusCode, 422)
  t.strictSame(answer.json().errors, [
    { pointer: '/name', detail: 'must NOT have fewer than 1 characters' },
    { pointer: '/email', detail: 'must match format "email"' },
    { pointer: '/course', detail: 'must NOT have more than 500 characters' },
    { pointer: '/gpa', detail: 'must be >= 0' }
  ])
  t.strictSame((await inject('GET', `/students/${student.id}`)).json(), student)
})

t.test('an update leaves fields that other software stored', async (t) => {
  const { inject, students } = await build(t)
  const { insertedId: _id } = await students.insertOne({ name: 'x', tags: ['a'], address: { city: 'Bern' } })
  await inject('PUT', `/students/${_id}`, { name: 'y' })
  t.strictSame(await students.findOne({ _id }), { _id, name: 'y', tags: ['a'], address: { city: 'Bern' } })
})

t.test('an update of an unknown student is 404, whether or not it changes anything, and creates none', async (t) => {
  const { inject, students } = await build(t)
  t.equal((await inject('PUT', `/students/${unknownId}`, { name: 'x' })).statusCode, 404)
  t.equal((await inject('PUT', `/students/${unknownId}`, {})).statusCode, 404)
  t.equal(await students.countDocuments({}), 0)
})

t.test('a deleted student is gone: 204 without a body, then 404', async (t) => {
  const { inject, create, students } = await build(t)
  const [gone, kept] = [await create(), await create()]
  const answer = await inject('DELETE', `/students/${gone.id}`)
  t.equal(answer.statusCode, 204)
  t.equal(answer.body, '')
  t.equal(answer.headers['content-type'], undefined)
  t.equal((await inject('GET', `/students/${gone.id}`)).statusCode, 404)
  t.equal((await inject('DELETE', `/students/${gone.id}`)).statusCode, 404)
  t.equal((await inject('GET', `/students/${kept.id}`)).statusCode, 200)
  t.equal(await students.countDocuments({}), 1)
})
