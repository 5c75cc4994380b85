import { Double, Int32, ObjectId } from 'mongodb'
import t from 'tap'
import { build } from '../../build.js'
import { janeDoe, unknownId } from '../../samples.js'

t.test('a created student is answered with 201, its new id and its path', async (t) => {
  const { inject } = await build(t)
  const answer = await inject('POST', '/students/', janeDoe)
  const { id, ...fields } = answer.json()
  t.equal(answer.statusCode, 201)
  t.match(id, /^[0-9a-f]{24}$/)
  t.strictSame(fields, janeDoe)
  t.equal(answer.headers.location, `/students/${id}`)
  t.equal(answer.headers['content-type'], 'application/json; charset=utf-8')

  const followed = await inject('GET', String(answer.headers.location))
  t.strictSame(followed.json(), answer.json())
})

t.test('the path without its slash is the same route', async (t) => {
  const { inject, students } = await build(t)
  t.equal((await inject('POST', '/students', janeDoe)).statusCode, 201)
  t.equal(await students.countDocuments({}), 1)
})

t.test('gpa is stored as a double, also when it is a whole number', async (t) => {
  const { create, students } = await build(t)
  for (const gpa of [3, 3.0, 0, 4, 2.5, '3', '3.0', -0]) {
    const { id } = await create({ gpa })
    const stored = await students.findOne({ _id: new ObjectId(id) }, { promoteValues: false })
    t.type(stored?.gpa, Double, `${JSON.stringify(gpa)} as a double`)
    t.ok(Object.is(stored?.gpa.value, Math.abs(Number(gpa))), `${JSON.stringify(gpa)} with its value`)
  }
  await students.insertOne({ gpa: new Int32(3) })
  const other = await students.find({}, { promoteValues: false }).toArray()
  t.ok(other.some(({ gpa }) => gpa instanceof Int32), 'the check above does tell an int32')
})

t.test('exactly the model is stored', async (t) => {
  const { create, students } = await build(t)
  const { id } = await create({ id: unknownId, _id: unknownId, admin: true, $set: { name: 'x' }, 'a.b': 1 })
  t.not(id, unknownId)
  t.strictSame(await students.findOne({ _id: new ObjectId(id) }), { _id: new ObjectId(id), ...janeDoe })
})

t.test('every fault is answered at once, each with its pointer', async (t) => {
  const { inject, students } = await build(t)
  const answer = await inject('POST', '/students/', { name: '', email: 'jdoe', gpa: 4.1 })
  t.equal(answer.statusCode, 422)
  t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
  t.strictSame(answer.json(), {
    type: 'about:blank',
    title: 'Unprocessable Entity',
    status: 422,
    detail: 'The body is not valid.',
    instance: '/students/',
    errors: [
      { pointer: '/course', detail: 'is required' },
      { pointer: '/name', detail: 'must NOT have fewer than 1 characters' },
      { pointer: '/email', detail: 'must match format "email"' },
      { pointer: '/gpa', detail: 'must be <= 4' }
    ]
  })
  t.equal(await students.countDocuments({}), 0)
})

t.test('text of which nothing can be seen is a fault, in each field', async (t) => {
  const { inject, create } = await build(t)
  const blanks = [' ', ' \t\n\u00a0\u3000 ', '\u200b', '\u200d\u2060\ufeff', '\u00ad', '\u3164\u115f', '\u2800', '\u{e0020}\u{e007f}', '\u{1d173}', '\ufe0f', '\u0000\u001f\u007f\u0085']
  const { id } = await create()
  for (const field of ['name', 'course']) {
    for (const blank of blanks) {
      const errors = [{ pointer: `/${field}`, detail: 'must hold a character that can be seen' }]
      for (const [method, url] of [['POST', '/students/'], ['PUT', `/students/${id}`]] as const) {
        const answer = await inject(method, url, { ...janeDoe, [field]: blank })
        t.equal(answer.statusCode, 422, `${method} ${JSON.stringify(blank)}`)
        t.strictSame(answer.json().errors, errors)
      }
    }
    for (const visible of ['\u200b.', ' x ', '山', '👩\u200d🎓', 'é', '\u05d0', '𝒳', '-']) t.equal((await create({ [field]: visible }))[field], visible)
  }
})

t.test('an address beyond ASCII is stored as it came, and one with too long a local part is a fault', async (t) => {
  const { create, inject } = await build(t)
  for (const email of ['josé@example.com', 'user@münchen.de', '用户@例子.广告']) t.equal((await create({ email })).email, email)
  const answer = await inject('POST', '/students/', { ...janeDoe, email: `${'a'.repeat(65)}@example.com` })
  t.strictSame(answer.json().errors, [{ pointer: '/email', detail: 'must match format "email"' }])
})

t.test('a numeric string is taken for gpa and for nothing else', async (t) => {
  const { inject, create } = await build(t)
  t.equal((await create({ gpa: '3.25' })).gpa, 3.25)
  t.equal((await create({ gpa: '4.00' })).gpa, 4)
  t.equal((await create({ name: '12' })).name, '12')
  for (const gpa of ['', ' 3', '3 ', '4.1', '5', '-1', '+3', '1e0', '0x1', 'NaN', 'Infinity', '3,5', '٣', true, [], [3], {}]) {
    const answer = await inject('POST', '/students/', { ...janeDoe, gpa })
    t.equal(answer.statusCode, 422, JSON.stringify(gpa))
    t.equal(answer.json().errors.length, 1, 'one fault for one field')
    t.equal(answer.json().errors[0].pointer, '/gpa')
  }
  for (const field of ['name', 'email', 'course']) {
    for (const value of [3, true, ['x'], {}]) {
      const answer = await inject('POST', '/students/', { ...janeDoe, [field]: value })
      t.strictSame(answer.json().errors, [{ pointer: `/${field}`, detail: 'must be string' }])
    }
  }
})

t.test('null is never coerced', async (t) => {
  const { inject, students } = await build(t)
  for (const field of Object.keys(janeDoe)) {
    const answer = await inject('POST', '/students/', { ...janeDoe, [field]: null })
    t.equal(answer.statusCode, 422, field)
    t.equal(answer.json().errors[0].pointer, `/${field}`)
  }
  t.equal(await students.countDocuments({}), 0)
})

t.test('a body that is not an object is a fault of the whole body', async (t) => {
  const { inject } = await build(t)
  for (const body of ['[]', '"x"', '1', 'null', 'true']) {
    const answer = await inject('POST', '/students/', body)
    t.equal(answer.statusCode, 422, body)
    t.strictSame(answer.json().errors, [{ pointer: '', detail: 'must be object' }])
  }
  t.equal((await inject('POST', '/students/')).statusCode, 422, 'no body at all')
})
