import { Binary, Decimal128, Double, Int32, Long, ObjectId } from 'mongodb'
import t from 'tap'
import { build } from '../../build.js'
import { janeDoe, unknownId } from '../../samples.js'

t.test('a list without students is an empty list in an object', async (t) => {
  const { inject } = await build(t)
  const answer = await inject('GET', '/students/')
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), { students: [] })
})

t.test('the list holds what was created, with and without the slash of its path', async (t) => {
  const { inject, create } = await build(t)
  const created = [await create({ name: 'A' }), await create({ name: 'B' })]
  for (const path of ['/students', '/students/']) {
    t.strictSame((await inject('GET', path)).json().students, created)
  }
})

t.test('the list ends at 1000 students', async (t) => {
  const { inject, students } = await build(t)
  await students.insertMany(Array.from({ length: 1_001 }, () => ({ name: 'x' })))
  t.equal((await inject('GET', '/students/')).json().students.length, 1_000)
})

t.test('a student is answered by its id, in whatever case its digits are', async (t) => {
  const { inject, create } = await build(t)
  const student = await create()
  t.strictSame((await inject('GET', `/students/${student.id}`)).json(), student)
  t.strictSame((await inject('GET', `/students/${student.id.toUpperCase()}`)).json(), student)
})

t.test('an unknown id is 404, and says which', async (t) => {
  const { inject } = await build(t)
  const answer = await inject('GET', `/students/${unknownId}`)
  t.equal(answer.statusCode, 404)
  t.strictSame(answer.json(), {
    type: 'about:blank',
    title: 'Not Found',
    status: 404,
    detail: `Student ${unknownId} not found`,
    instance: `/students/${unknownId}`
  })
})

t.test('a malformed id is 422 on every route that takes one', async (t) => {
  const { inject } = await build(t)
  const ids = ['1', 'zzz', `${unknownId}0`, unknownId.slice(1), '$ne', '%7B%22$ne%22:1%7D', '%00', 'é', '[object%20Object]', 'constructor']
  for (const id of ids) {
    for (const method of ['GET', 'PUT', 'DELETE'] as const) {
      const answer = await inject(method, `/students/${id}`, method === 'PUT' ? {} : undefined)
      t.equal(answer.statusCode, 422, `${method} ${id}`)
      t.equal(answer.json().errors[0].pointer, '/id')
    }
  }
})

t.test('HEAD answers the headers of GET without a body', async (t) => {
  const { inject, create } = await build(t)
  const { id } = await create()
  for (const path of ['/students', '/students/', `/students/${id}`]) {
    const [head, get] = [await inject('HEAD', path), await inject('GET', path)]
    t.equal(head.statusCode, 200)
    t.equal(head.body, '')
    t.equal(head.headers['content-length'], get.headers['content-length'])
  }
  t.equal((await inject('HEAD', `/students/${unknownId}`)).statusCode, 404)
})

t.test('a number of any BSON type is shown as a number', async (t) => {
  const { inject, students } = await build(t)
  const stored = [new Int32(3), new Double(3), Long.fromNumber(3), Decimal128.fromString('3.0'), new Double(3.75)]
  for (const gpa of stored) {
    const { insertedId } = await students.insertOne({ gpa })
    const shown = (await inject('GET', `/students/${insertedId}`)).json()
    t.strictSame(shown, { id: String(insertedId), gpa: Number(gpa) })
  }
  const { insertedId } = await students.insertOne({ gpa: Long.MAX_VALUE })
  t.equal((await inject('GET', `/students/${insertedId}`)).json().gpa, 2 ** 63)
})

t.test('a stored field that does not fit the model is left out, and no answer breaks', async (t) => {
  const { inject, students } = await build(t)
  const misfits: unknown[] = [null, true, new Date(0), [1], { a: 1 }, new ObjectId(), new Binary(Buffer.from('x'))]
  for (const value of [...misfits, 'text', Double.fromString('NaN'), Decimal128.fromString('Infinity')]) {
    const { insertedId } = await students.insertOne({ gpa: value, other: value })
    t.strictSame((await inject('GET', `/students/${insertedId}`)).json(), { id: String(insertedId) })
  }
  for (const value of [...misfits, new Int32(1)]) {
    const { insertedId } = await students.insertOne({ name: value, email: value, course: value, gpa: 7 })
    t.strictSame((await inject('GET', `/students/${insertedId}`)).json(), { id: String(insertedId), gpa: 7 })
  }
  t.equal((await inject('GET', '/students/')).json().students.length, 18)
})

t.test('a student whose id is text of 24 hexadecimal digits is listed, and can be asked for, changed and deleted', async (t) => {
  const { inject, students } = await build(t)
  const ids: any[] = ['66b3f0a1c2d4e5f60123456a', '66B3F0A1C2D4E5F60123456B'] // what other software may use as an id
  await students.insertMany(ids.map((_id) => ({ _id, ...janeDoe })))
  const listed: { id: string }[] = (await inject('GET', '/students/')).json().students
  t.strictSame(listed.sort((a, b) => a.id < b.id ? 1 : -1), ids.map((id) => ({ id, ...janeDoe })))
  for (const id of ids) {
    t.strictSame((await inject('GET', `/students/${id}`)).json(), { id, ...janeDoe })
    t.strictSame((await inject('PUT', `/students/${id}`, { name: 'x' })).json(), { id, ...janeDoe, name: 'x' })
    t.equal((await inject('DELETE', `/students/${id}`)).statusCode, 204)
    t.equal((await inject('GET', `/students/${id}`)).statusCode, 404)
    t.equal((await inject('PUT', `/students/${id}`, { name: 'x' })).statusCode, 404)
    t.equal((await inject('DELETE', `/students/${id}`)).statusCode, 404)
  }
  t.equal(await students.countDocuments(), 0)
})

t.test('a student whose id can not stand in a path is left out of the list', async (t) => {
  const { inject, students, create } = await build(t)
  const { id } = await create()
  const ids: any[] = ['abc', new Int32(7), Long.fromNumber(8), { a: 1 }, true, '66b3f0a1c2d4e5f60123456g']
  await students.insertMany(ids.map((_id) => ({ _id, name: 'x' })))
  t.strictSame((await inject('GET', '/students/')).json(), { students: [{ id, ...janeDoe }] })
})

t.test('of an ObjectId and the same id as text the ObjectId wins, and the list shows one', async (t) => {
  const { inject, students, create } = await build(t)
  const { id } = await create()
  const texts: any[] = [id, id.toUpperCase()]
  await students.insertMany(Array.from(new Set(texts), (_id) => ({ _id, ...janeDoe, name: 'text' })))
  t.strictSame((await inject('GET', '/students/')).json().students.map(({ name }: { name: string }) => name), [janeDoe.name])
  t.equal((await inject('GET', `/students/${id}`)).json().name, janeDoe.name)
  t.equal((await inject('PUT', `/students/${id}`, { name: 'changed' })).json().name, 'changed')
  t.equal(await students.countDocuments({ name: 'text' }), new Set(texts).size)
  t.equal((await inject('DELETE', `/students/${id}`)).statusCode, 204)
  t.equal((await inject('GET', `/students/${id}`)).json().name, 'text', 'once that is gone the other one shows')
})
