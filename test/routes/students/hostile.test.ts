import { ObjectId } from 'mongodb'
import t from 'tap'
import { build } from '../../build.js'
import { janeDoe } from '../../samples.js'

t.test('a value that looks like an operator is data or a fault, never an operator', async (t) => {
  const { inject, create, students } = await build(t)
  const { id } = await create({ name: '$ne', course: '{"$gt":""}' })
  t.match(await students.findOne({ _id: new ObjectId(id) }), { name: '$ne', course: '{"$gt":""}' })

  for (const operator of [{ $ne: null }, { $gt: '' }, { $where: '1' }, { $inc: 1 }]) {
    for (const field of Object.keys(janeDoe)) {
      t.equal((await inject('POST', '/students/', { ...janeDoe, [field]: operator })).statusCode, 422)
      t.equal((await inject('PUT', `/students/${id}`, { [field]: operator })).statusCode, 422)
    }
  }
  const answer = await inject('PUT', `/students/${id}`, { name: '$name', $unset: { course: 1 }, $set: { gpa: 0 } })
  t.strictSame(answer.json(), { ...janeDoe, id, name: '$name', course: '{"$gt":""}' })
})

t.test('Unicode is kept as it came', async (t) => {
  const { inject, create } = await build(t)
  const texts = ['👩🏽‍🎓 Zoë', 'e\u0301 is not é', 'שלום عالم', '\u202eright-to-left', '漢字', '\u0000\u001f"\\/', '𝒳'.repeat(200)]
  for (const name of texts) {
    const { id } = await create({ name })
    t.equal((await inject('GET', `/students/${id}`)).json().name, name, JSON.stringify(name))
    const listed = (await inject('GET', '/students/')).json().students
    t.ok(listed.some((student: { id: string, name: string }) => student.id === id && student.name === name))
  }
})

t.test('a lone surrogate, which no store could keep, is a fault', async (t) => {
  const { inject } = await build(t)
  for (const escape of ['\\ud800', 'x\\udfff', '\\udc00\\ud800']) {
    const answer = await inject('POST', '/students/', JSON.stringify(janeDoe).replace('Jane Doe', escape))
    t.equal(answer.statusCode, 422)
    t.strictSame(answer.json().errors, [{ pointer: '/name', detail: 'must be well-formed Unicode, without lone surrogates' }])
  }
  const answer = await inject('POST', '/students/', JSON.stringify(janeDoe).replace('Jane Doe', '\\ud83d\\ude00'))
  t.equal(answer.json().name, '😀')
})

t.test('a string over its documented maximum is a fault, one of that length is not', async (t) => {
  const { inject } = await build(t)
  for (const [field, maximum] of [['name', 200], ['course', 500]] as const) {
    const longest = await inject('POST', '/students/', { ...janeDoe, [field]: 'é'.repeat(maximum) })
    t.equal(longest.statusCode, 201)
    const answer = await inject('POST', '/students/', { ...janeDoe, [field]: 'x'.repeat(maximum + 1) })
    t.strictSame(answer.json().errors, [{ pointer: `/${field}`, detail: `must NOT have more than ${maximum} characters` }])
  }
  const answer = await inject('POST', '/students/', { ...janeDoe, email: `${'a'.repeat(250)}@b.ch` })
  t.strictSame(answer.json().errors, [{ pointer: '/email', detail: 'must NOT have more than 254 characters' }])
})

t.test('__proto__ and constructor are dropped like every unknown field, and reach no prototype', async (t) => {
  const { inject, students } = await build(t)
  const fields = JSON.stringify(janeDoe).slice(1)
  for (const poison of ['"__proto__":{"gpa":0,"polluted":1}', '"constructor":{"prototype":{"polluted":1}}', '"constructor":1', '"\\u005f_proto__":{"polluted":1}']) {
    const answer = await inject('POST', '/students/', `{${poison},${fields}`)
    t.equal(answer.statusCode, 201, poison)
    const { id, ...shown } = answer.json()
    t.strictSame(shown, janeDoe)
    const { _id, ...stored } = await students.findOne({ _id: new ObjectId(String(id)) }) ?? {}
    t.strictSame(stored, janeDoe)
  }
  const inherited = await inject('POST', '/students/', `{"__proto__":${JSON.stringify(janeDoe)}}`)
  t.equal(inherited.json().errors.length, 4, 'inherited fields do not count as given')
  t.notOk('polluted' in {})
})

t.test('deep nesting is dropped as an unknown field, and is a fault in a known one', async (t) => {
  const { inject } = await build(t)
  const deep = '['.repeat(20_000) + ']'.repeat(20_000)
  const fields = JSON.stringify(janeDoe).slice(1)
  t.equal((await inject('POST', '/students/', `{"deep":${deep},${fields}`)).statusCode, 201)
  const answer = await inject('POST', '/students/', `{${fields.slice(0, -1)},"name":${deep}}`)
  t.strictSame(answer.json().errors, [{ pointer: '/name', detail: 'must be string' }])
})

t.test('of a key that stands twice, the last one counts', async (t) => {
  const { inject } = await build(t)
  const fields = JSON.stringify(janeDoe).slice(1, -1)
  t.equal((await inject('POST', '/students/', `{${fields},"gpa":2}`)).json().gpa, 2)
  t.equal((await inject('POST', '/students/', `{${fields},"gpa":9}`)).statusCode, 422)
})

t.test('what JSON has no number for is malformed, and a number beyond a double is a fault', async (t) => {
  const { inject, students } = await build(t)
  const body = (gpa: string) => JSON.stringify({ ...janeDoe, gpa: 0 }).replace('"gpa":0', `"gpa":${gpa}`)
  for (const gpa of ['NaN', 'Infinity', '-Infinity', '.5', '03', '+3', '0x3', '3.']) {
    t.equal((await inject('POST', '/students/', body(gpa))).statusCode, 400, gpa)
  }
  for (const gpa of ['1e400', '-1e400', '4.0000001', '1e2', '-1e-9']) {
    const answer = await inject('POST', '/students/', body(gpa))
    t.equal(answer.statusCode, 422, gpa)
    t.equal(answer.json().errors[0].pointer, '/gpa')
  }
  t.equal((await inject('POST', '/students/', body('1e-400'))).json().gpa, 0)
  t.equal((await inject('POST', '/students/', body('35e-1'))).json().gpa, 3.5)
  t.equal(await students.countDocuments({}), 2)
})
