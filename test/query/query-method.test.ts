import { BSONRegExp, Code, type ObjectId } from 'bson'
import fc from 'fast-check'
import t from 'tap'
import { build } from '../build.js'
import { isListed, records, type StoredRecord } from './documents.js'
import { bodyOf, filters, queryOf, type Parameter } from './filters.js'
import { apply, walk, type Walk } from './law.js'
import { meets } from './model.js'

/** More of them in the long run: npm run fuzz:pages. */
const WALKS = Number(process.env.FUZZ_WALKS ?? 150)
const FILTERS = Number(process.env.FUZZ_FILTERS ?? 300)
const SEED = Number(process.env.FUZZ_SEED ?? 1)

interface Answer {
  students: { id: string }[]
  cursor?: string
  total?: object
}

const { inject, students } = await build(t, {}, { logger: { level: 'error' } })

async function ask (body: object): Promise<{ body: Answer, location: string | undefined }> {
  const answer = await inject('QUERY', '/students/', body)
  if (answer.statusCode !== 200) throw new Error(`${JSON.stringify(body)}: ${answer.body}`)
  const { location } = answer.headers
  return { body: answer.json(), location: location === undefined ? undefined : String(location) }
}

async function hold (documents: StoredRecord[]): Promise<void> {
  await students.drop()
  await students.insertMany(documents as object[], { ignoreUndefined: true })
}

/** A filter with an `or`, as parameters. */
interface Query {
  rest: Parameter[]
  or: Parameter[][]
}

const queries: fc.Arbitrary<Query> = fc.record({ rest: fc.oneof(fc.constant<Parameter[]>([]), filters), or: fc.array(filters, { minLength: 2, maxLength: 4 }) })

const filterOf = ({ rest, or }: Query) => ({ ...bodyOf(rest), or: or.map(bodyOf) })

/** By a plain evaluation. */
function matching (documents: StoredRecord[], { rest, or }: Query): StoredRecord[] {
  const all = (document: StoredRecord, filter: Parameter[]) => filter.every((each) => meets(document, each))
  return documents.filter((document) => all(document, rest) && or.some((each) => all(document, each)))
}

const idsOf = (documents: StoredRecord[]) => documents.map(({ _id }) => String(_id)).sort()

t.test(`${FILTERS} filters are answered alike by QUERY, by GET and at its Location`, async (t) => {
  let count = 0
  const page = fc.record({ limit: fc.integer({ min: 1, max: 9 }), sort: fc.constantFrom('name', '-gpa,course', '-id'), fields: fc.constantFrom('name', 'gpa,etag') }, { requiredKeys: [] })
  const asked = fc.array(fc.tuple(filters, page), { minLength: 20, maxLength: 20 })
  const property = fc.asyncProperty(records, asked, async (documents, all) => {
    await hold(documents)
    for (const [filter, page] of all) {
      const query = [queryOf(filter), ...Object.entries(page).map(([name, value]) => `${name}=${value}`)].join('&')
      const { body: { cursor, ...body }, location } = await ask({ filter: bodyOf(filter), ...page })
      const get = (await inject('GET', `/students/?${query}`)).json()
      t.strictSame(body.students, get.students, query)
      t.equal(cursor, get.next && new URL(get.next, 'http://x').searchParams.get('cursor'), 'a cursor is good for both')
      t.strictSame((await inject('GET', String(location))).json(), body, `${query} is ${location}`)
      count++
    }
    return t.passing()
  })
  await fc.assert(property, { seed: SEED, numRuns: Math.ceil(FILTERS / 20), endOnFailure: true })
  t.comment(`seed ${SEED}: ${count} filters`)
})

t.test(`${FILTERS} filters with an or answer, and count, what a plain evaluation of them answers`, async (t) => {
  let count = 0
  const property = fc.asyncProperty(records, fc.array(queries, { minLength: 20, maxLength: 20 }), async (documents, all) => {
    await hold(documents)
    for (const query of all) {
      const { body, location } = await ask({ filter: filterOf(query), count: 'exact' })
      const expected = matching(documents, query)
      t.strictSame(body.students.map(({ id }) => id).sort(), idsOf(expected.filter((each) => isListed(each, documents))), JSON.stringify(query))
      t.strictSame(body.total, { value: expected.length, relation: 'eq' })
      t.equal(location, undefined)
      count++
    }
    return t.passing()
  })
  await fc.assert(property, { seed: SEED, numRuns: Math.ceil(FILTERS / 20), endOnFailure: true })
  t.comment(`seed ${SEED}: ${count} filters`)
})

/** Walks by the cursor of each answer through a list that changes meanwhile. */
async function seen (query: Query, { sort, limit, changes }: Walk): Promise<string[]> {
  const ids: string[] = []
  const others: ObjectId[] = []
  const body = { filter: filterOf(query), limit, ...sort.length > 0 && { sort } }
  let cursor: string | undefined
  for (let pages = 0; pages === 0 || cursor !== undefined; pages++) {
    if (pages > 500) throw new Error(`no end: ${JSON.stringify(body)}`)
    const answer: Answer = (await ask({ ...body, ...cursor !== undefined && { cursor } })).body
    ids.push(...answer.students.map(({ id }) => id))
    cursor = answer.cursor
    const change = changes[pages]
    if (change) await apply(students, change, others)
  }
  for (const _id of others) await students.deleteOne({ _id })
  return ids
}

/** A list that is sorted by a field leaves out what cannot be put in order there. */
function isSortable (document: StoredRecord, sort: string[]): boolean {
  return sort.map((key) => key.replace(/^-/, '')).map((key) => key === 'id' ? '' : document[key]).every((value) => !Array.isArray(value) && !(value instanceof BSONRegExp) && !(value instanceof Code))
}

t.test(`${WALKS} walks by the cursor of a QUERY with an or see each record once that is there all the while`, async (t) => {
  let count = 0
  const property = fc.asyncProperty(records, fc.array(fc.tuple(queries, walk), { minLength: 5, maxLength: 5 }), async (documents, all) => {
    await hold(documents)
    for (const [query, walk] of all) {
      const stable = new Set(documents.map(({ _id }) => String(_id)))
      const ids = (await seen(query, walk)).filter((id) => stable.has(id))
      const expected = matching(documents, query).filter((each) => isListed(each, documents) && isSortable(each, walk.sort))
      t.strictSame(ids.sort(), idsOf(expected), JSON.stringify([query, walk]))
      count++
    }
    return t.passing()
  })
  await fc.assert(property, { seed: SEED, numRuns: Math.ceil(WALKS / 5), endOnFailure: true })
  t.comment(`seed ${SEED}: ${count} walks`)
})
