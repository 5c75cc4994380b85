import { BSONRegExp, Code } from 'bson'
import fc from 'fast-check'
import t from 'tap'
import { build } from '../build.js'
import { isListed, records, type StoredRecord } from './documents.js'
import { filters, queryOf } from './filters.js'
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

t.test(`${FILTERS} filters answer what a plain evaluation of them answers`, async (t) => {
  let count = 0
  const property = fc.asyncProperty(records, fc.array(filters, { minLength: 20, maxLength: 20 }), async (documents, all) => {
    await hold(documents)
    for (const filter of all) {
      const query = queryOf(filter)
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
