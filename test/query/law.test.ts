import { BSONRegExp, Code, ObjectId } from 'bson'
import fc from 'fast-check'
import t from 'tap'
import { build } from '../build.js'
import { records, type StoredRecord } from './documents.js'
import { seen, walks, type Ask } from './law.js'
import { meets } from './model.js'

/** More of them in the long run: npm run fuzz:pages. */
const WALKS = Number(process.env.FUZZ_WALKS ?? 150)
const FILTERS = Number(process.env.FUZZ_FILTERS ?? 300)
const SEED = Number(process.env.FUZZ_SEED ?? 1)

const { app, students } = await build(t, {}, { logger: { level: 'error' } })

const ask: Ask = async (path) => {
  const answer = await app.inject(path)
  if (answer.statusCode !== 200) throw new Error(`${decodeURIComponent(path)}: ${answer.body}`)
  return { body: answer.json(), link: String(answer.headers.link) }
}

/** Holds these documents and no others. */
async function hold (documents: StoredRecord[]): Promise<void> {
  await students.drop()
  await students.insertMany(documents as object[], { ignoreUndefined: true })
}

/** The ids of those that a list by these keys shows, by a plain evaluation. */
function shownIds (documents: StoredRecord[], sort: string[], filter: string): string[] {
  const keys = sort.map((key) => key.replace(/^-/, '')).filter((key) => key !== 'id')
  const parameters = [...new URLSearchParams(filter)].map(([name, value]): [string, string[]] => [name, [value]])
  const ids = documents.filter((document) => isListed(document, documents) && parameters.every((parameter) => meets(document, parameter)) &&
    keys.every((key) => !Array.isArray(document[key]) && !(document[key] instanceof BSONRegExp) && !(document[key] instanceof Code)))
  return ids.map(({ _id }) => String(_id))
}

/** By an ObjectId, or by 24 hexadecimal digits that are the ObjectId of no other. */
function isListed ({ _id }: StoredRecord, documents: StoredRecord[]): boolean {
  if (_id instanceof ObjectId) return true
  return typeof _id === 'string' && /^[0-9a-f]{24}$/i.test(_id) &&
    !documents.some((other) => other._id instanceof ObjectId && String(other._id) === _id.toLowerCase())
}

t.test(`${WALKS} walks see each document once that is there all the while, whatever is stored and whatever else changes`, async (t) => {
  let count = 0
  const property = fc.asyncProperty(walks, async ({ documents, walks }) => {
    await hold(documents)
    for (const walk of walks) {
      const stable = new Set(documents.map(({ _id }) => String(_id)))
      const ids = (await seen(ask, students, walk)).filter((id) => stable.has(id))
      t.strictSame([...ids].sort(), shownIds(documents, walk.sort, walk.filter).sort(), JSON.stringify(walk))
      const other = (await seen(ask, students, { ...walk, limit: 9, isBackwards: !walk.isBackwards, changes: [] })).filter((id) => stable.has(id))
      t.strictSame(other, ids, 'and in the same order the other way')
      count += 2
    }
    return t.passing()
  })
  await fc.assert(property, { seed: SEED, numRuns: Math.ceil(WALKS / 5), endOnFailure: true })
  t.comment(`seed ${SEED}: ${count} walks`)
})

const texts = fc.constantFrom('', 'a', 'A', 'ab', 'b', 'Zoë', 'ZOË', 'a.c', '.', 'a\0', '\u{10ffff}', '漢', 'null')
const numbers = fc.constantFrom('0', '-0', '1', '2.5', '3', '0.5', '9007199254740993', '1e300')
const lists = (of: fc.Arbitrary<string>) => fc.array(of, { minLength: 1, maxLength: 3 })
const one = (of: fc.Arbitrary<string>) => of.map((value) => [value])
const booleans = one(fc.constantFrom('true', 'false'))
const named = (names: readonly string[], values: fc.Arbitrary<string[]>) => fc.tuple(fc.constantFrom(...names), values)
const withOperators = (fields: readonly string[], operators: readonly string[]) => fields.flatMap((field) => operators.map((operator) => field + operator))
const ranges = ['', '.ne', '.gt', '.gte', '.lt', '.lte']
const parameter = fc.oneof(
  { weight: 4, arbitrary: named(withOperators(['name', 'course'], [...ranges, '.prefix', '.contains', '.icontains']), one(texts)) },
  { weight: 3, arbitrary: named(withOperators(['gpa'], ranges), one(numbers)) },
  named(['name.in', 'course.in'], lists(texts)),
  named(['gpa.in'], lists(numbers)),
  named(['name.exists', 'gpa.exists', 'course.exists'], booleans)
)
const filters = fc.uniqueArray(parameter, { minLength: 1, maxLength: 3, selector: ([name]) => name })

t.test(`${FILTERS} filters answer what a plain evaluation of them answers`, async (t) => {
  let count = 0
  const property = fc.asyncProperty(records, fc.array(filters, { minLength: 20, maxLength: 20 }), async (documents, all) => {
    await hold(documents)
    for (const filter of all) {
      const query = filter.flatMap(([name, values]) => values.map((value) => `${name}=${encodeURIComponent(value)}`)).join('&')
      const { body } = await ask(`/students/?${query}`)
      const expected = documents.filter((document) => isListed(document, documents) && filter.every((each) => meets(document, each)))
      t.strictSame(body.students.map(({ id }) => id).sort(), expected.map(({ _id }) => String(_id)).sort(), query)
      count++
    }
    return t.passing()
  })
  await fc.assert(property, { seed: SEED, numRuns: Math.ceil(FILTERS / 20), endOnFailure: true })
  t.comment(`seed ${SEED}: ${count} filters`)
})
