import { faker } from '@faker-js/faker'
import { EJSON, type Document } from 'bson'
import t from 'tap'
import { filter } from '../conformance/cases/filters.js'
import { pageFilter, pagesOf } from '../conformance/cases/pages.js'
import { indexed, sortIndex } from '../conformance/cases/case.js'
import { sort } from '../conformance/cases/read.js'
import { document, id, one, upTo } from '../conformance/values.js'
import type { Side } from '../conformance/side.js'
import { serverFor, type WireClient } from './support.js'

const seed = Number(process.env.PLAN_SEED ?? 1)
const rounds = Number(process.env.PLAN_ROUNDS ?? 400)

async function both (client: WireClient, command: (name: string) => Document): Promise<[string, string]> {
  const [plain, planned] = [await client.send(command('plain')), await client.send(command('planned'))]
  return [shown(plain), shown(planned)]
}

/** Without where it came from. */
function shown (reply: Document): string {
  return EJSON.stringify(reply, { relaxed: false }).replaceAll('planned', 'plain')
}

t.test(`indexes change no answer: ${rounds} random filters, sorts, counts, pages and deletes, with them and without`, async t => {
  faker.seed(seed)
  const { client } = await serverFor(t)
  await client.send({ createIndexes: 'planned', indexes: indexed.map(sortIndex) })
  for (let round = 0; round < rounds; round++) {
    const documents = Array.from({ length: 3 }, document)
    await both(client, name => ({ insert: name, documents, ordered: false }))
    const change = { query: { _id: id() }, update: { $set: { [one(indexed)]: document().n ?? null } }, upsert: one([true, false]) }
    await both(client, name => ({ findAndModify: name, ...change }))
    const [by, order, limit, skip] = [filter(), sort(), upTo(10), upTo(3)]
    const cases: Array<(name: string) => Document> = [
      name => ({ find: name, filter: by, sort: order, limit, skip, batchSize: 100 }),
      name => ({ aggregate: name, pipeline: [{ $match: by }, { $limit: limit + 1 }, { $count: 'n' }], cursor: {} })
    ]
    if (round % 20 === 19) cases.push(name => ({ delete: name, deletes: [{ q: by, limit: 0 }] }))
    for (const one of cases) {
      const [plain, planned] = await both(client, one)
      if (plain !== planned) t.equal(planned, plain, EJSON.stringify(one('planned')))
    }
    const pages = { by: pageFilter(), field: one(indexed), direction: one([1, -1] as const), length: 1 + upTo(4), unsorted: one<unknown>(['array', [4, 11, 12, 13, 15]]) }
    // all that pagesOf needs of a side
    const side = { command: (command: Document) => client.send(command) } as unknown as Side
    const [paged, wanted] = [await pagesOf(side, { name: 'planned', ...pages }), await pagesOf(side, { name: 'plain', ...pages })]
    if (shown(paged) !== shown(wanted)) t.equal(shown(paged), shown(wanted), EJSON.stringify(pages))
  }
  t.pass()
})
