import { Binary, BSONRegExp, Decimal128, Double, MaxKey, MinKey, ObjectId, serialize } from 'bson'
import t from 'tap'
import { decodeCursor, encodeCursor, scopeOf } from '../../../lib/query/cursor.js'
import { toFilter } from '../../../lib/query/filter.js'
import { after, keysOf, positionsOf } from '../../../lib/query/keyset.js'

const _id = new ObjectId('66b3f0a1c2d4e5f601234567')
const scope = scopeOf('gpa')
const order = [{ key: 'gpa', isDescending: false }, { key: '_id', isDescending: false }]
const bytes = (document: object) => Buffer.from(serialize(document))

t.test('a cursor holds its values as they are stored, and is read back', async (t) => {
  for (const gpa of [new Double(3), Decimal128.fromString('2.50'), null, 'text', new Double(NaN), new MinKey(), new MaxKey(), new Binary(Buffer.from('x'))]) {
    const values = bytes({ _id, gpa })
    const text = encodeCursor({ direction: 'after', values }, scope)
    t.match(text, /^[\w-]+$/)
    t.strictSame(decodeCursor(text, scope), { direction: 'after', values })
  }
  t.strictSame(decodeCursor(encodeCursor({ direction: 'before' }, scope), scope), { direction: 'before' })
})

t.test('any other byte is a fault, and so is another list or version', async (t) => {
  const text = encodeCursor({ direction: 'after', values: bytes({ _id, gpa: 3 }) }, scope)
  const whole = Buffer.from(text, 'base64url')
  for (let at = 0; at < whole.length; at++) {
    for (const bit of [1, 128]) {
      const other = Buffer.from(whole)
      other[at] = Number(other[at]) ^ bit
      t.type(decodeCursor(other.toString('base64url'), scope), 'string', `byte ${at}`)
    }
  }
  t.equal(decodeCursor(text, scopeOf('name')), 'belongs to another sort or filter')
  for (const malformed of ['', 'x', `${text}=`, `${text} `, `${text.slice(0, -1)}`, text.replace(/.$/, '+')]) t.equal(decodeCursor(malformed, scope), 'is malformed', malformed)
})

t.test('values that no list has are no position, and nothing throws', async (t) => {
  const position = (document: object) => positionsOf(bytes(document), order)
  t.equal(position({ gpa: 1 }), undefined, 'without an id')
  t.equal(position({ _id, gpa: 1, name: 'x' }), undefined, 'with a key too many')
  t.equal(position({ _id, gpa: [1] }), undefined)
  t.equal(position({ _id, gpa: new BSONRegExp('a') }), undefined)
  t.equal(positionsOf(Buffer.from('x'), order), undefined)
  t.strictSame(position({ _id })?.map(({ type }) => type), [10, 7], 'a missing field is null')
})

t.test('the keys of a document are its own bytes', async (t) => {
  const document = bytes({ _id, name: 'x', gpa: new Double(3), course: 'y' })
  t.strictSame(keysOf(document, ['gpa', '_id']), bytes({ _id, gpa: new Double(3) }))
  t.strictSame(keysOf(document, ['email', '_id']), bytes({ _id }))
})

t.test('what comes after a position is the rest of its class and the classes beyond', async (t) => {
  const filter = (document: object, isDescending = false) =>
    after(positionsOf(bytes(document), order.map(({ key }) => ({ key, isDescending }))) ?? [], {})
  const beyondIds = [8, 9, 17, 127]
  t.strictSame(filter({ _id }), { $or: [{ gpa: { $type: [1, 16, 18, 19, 2, 14, 3, 5, 7, ...beyondIds] } }, { gpa: null, _id: { $gt: _id } }] })
  const { $or: ofNaN } = filter({ _id, gpa: NaN }) as { $or: object[] }
  t.match(ofNaN[0], { gpa: { $gte: -Infinity } })
  const { $or: below } = filter({ _id, gpa: 3.5 }, true) as { $or: object[] }
  t.match(below[0], { gpa: { $lt: new Double(3.5) } })
  t.match(below[1], { gpa: NaN })
  t.match(below[2], { gpa: { $type: [-1] } })
  t.match(below[3], { gpa: null })
  t.strictSame(after([{ key: '_id', isDescending: true, type: -1, value: new MinKey() }], {}), { _id: { $in: [] } }, 'nothing is below MinKey')
  const [id] = [{ key: '_id', isDescending: false, type: 7, value: _id }]
  const gpa = { key: 'gpa', isDescending: false, type: 8, value: true }
  const within = { gpa: { $gte: 1 } }
  for (const branch of (after([gpa, id], within) as { $or: object[] }).$or) t.match(branch, { $and: [within, {}] }, 'the filter bounds each alternative')
  t.strictSame(after([id], within), { $and: [within, { _id: { $gt: _id } }] })
})

t.test('a filter holds what was asked for as values, and never as operators', async (t) => {
  const of = (operator: string, value: unknown, field = 'name', kind = 'text') => toFilter([{ field, kind, operator, value } as never])
  t.strictSame(of('contains', '.*^$\0'), { name: { $regex: '\\.\\*\\^\\$\\x00' } })
  t.strictSame(of('eq', '{"$gt":""}'), { name: { $eq: '{"$gt":""}' } })
  t.strictSame(of('prefix', 'ab'), { name: { $gte: 'ab', $lt: 'ac' } })
  t.strictSame(of('prefix', '\ud7ff'), { name: { $gte: '\ud7ff', $lt: '\ue000' } }, 'surrogates are skipped')
  t.strictSame(of('prefix', 'a\u{10ffff}'), { name: { $gte: 'a\u{10ffff}', $lt: 'b' } })
  t.strictSame(of('prefix', '\u{10ffff}'), { name: { $gte: '\u{10ffff}' } })
  t.strictSame(of('exists', true, 'begins', 'date-time'), { $and: [{ begins: { $type: 'date' } }, { begins: { $not: { $type: 'array' } } }] })
  t.strictSame(of('exists', false, 'open', 'boolean'), { $nor: [{ $and: [{ open: { $type: 'bool' } }, { open: { $not: { $type: 'array' } } }] }] })
  t.strictSame(toFilter([{ field: 'level', kind: 'text', operator: 'exists', value: true, values: ['a', 'b'] }]), { $and: [{ level: { $in: ['a', 'b'] } }, { level: { $not: { $type: 'array' } } }] })
  t.strictSame(toFilter([]), {})
  const [a, b] = [{ field: 'name', kind: 'text', operator: 'eq', value: 'a' }, { field: 'name', kind: 'text', operator: 'eq', value: 'b' }] as const
  t.strictSame(toFilter([], [[a], [a, b]]), { $or: [{ name: { $eq: 'a' } }, { $and: [{ name: { $eq: 'a' } }, { name: { $eq: 'b' } }] }] })
})

t.test('times become bounds of ids, to the second', async (t) => {
  const of = (operator: string, time: string) => toFilter([{ field: 'created', kind: 'date-time', operator, value: new Date(time) } as never])
  const at = (seconds: number) => new ObjectId(seconds.toString(16).padStart(8, '0') + '0'.repeat(16))
  t.strictSame(of('gt', '1970-01-01T00:00:10Z'), { _id: { $gte: at(11) } })
  t.strictSame(of('gt', '1970-01-01T00:00:10.5Z'), { _id: { $gte: at(11) } })
  t.strictSame(of('gte', '1970-01-01T00:00:10Z'), { _id: { $gte: at(10) } })
  t.strictSame(of('gte', '1970-01-01T00:00:10.5Z'), { _id: { $gte: at(11) } })
  t.strictSame(of('lt', '1970-01-01T00:00:10Z'), { _id: { $lt: at(10) } })
  t.strictSame(of('lte', '1970-01-01T00:00:10Z'), { _id: { $lt: at(11) } })
  t.strictSame(of('gte', '0001-01-01T00:00:00Z'), { _id: { $gte: at(0) } })
  t.strictSame(of('gt', '2200-01-01T00:00:00Z'), { _id: { $in: [] } })
  t.strictSame(of('lt', '2200-01-01T00:00:00Z'), { _id: { $type: 'objectId' } })
})
