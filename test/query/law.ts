import { ObjectId } from 'bson'
import fc from 'fast-check'
import type { Collection } from 'mongodb'
import type { StoredRecord } from './documents.js'
import { record, records } from './documents.js'

/** One way through a list. */
interface Walk {
  sort: string[]
  limit: number
  filter: string
  /** From the first page on, or from the last one back. */
  isBackwards: boolean
  /** What happens between two pages to documents that the walk may or may not see. */
  changes: Change[]
}

type Change = { kind: 'insert' | 'replace', document: StoredRecord } | { kind: 'delete' }

const sort = fc.uniqueArray(fc.constantFrom('name', 'gpa', 'course'), { maxLength: 2 }).chain((fields) =>
  fc.tuple(...fields.map((field) => fc.constantFrom(field, `-${field}`)), fc.constantFrom([], [], ['id'], ['-id'])).map((keys) => keys.flat() as string[]))

const filter = fc.constantFrom('', '', 'gpa.gte=1', 'name.ne=a', 'course.exists=true', 'name.prefix=a', 'gpa.lt=3&name.exists=false')

const change: fc.Arbitrary<Change> = fc.oneof(
  record.map((document) => ({ kind: 'insert' as const, document })),
  record.map((document) => ({ kind: 'replace' as const, document })),
  fc.constant({ kind: 'delete' as const })
)

export const walk: fc.Arbitrary<Walk> = fc.record({
  sort, limit: fc.integer({ min: 1, max: 9 }), filter, isBackwards: fc.boolean(), changes: fc.array(change, { maxLength: 6 })
})

export const walks = fc.record({ documents: records, walks: fc.array(walk, { minLength: 1, maxLength: 4 }) })

/** Asks for a path, and answers the body and the header Link. */
export type Ask = (path: string) => Promise<{ body: { students: { id: string }[], next?: string }, link: string }>

/** Walks through a list that changes meanwhile; answers the ids in the order in which they were seen. */
export async function seen (ask: Ask, collection: Collection, { sort, limit, filter, isBackwards, changes }: Walk): Promise<string[]> {
  const query = [`limit=${limit}`, sort.length > 0 && `sort=${sort.join(',')}`, filter].filter(Boolean).join('&')
  const ids: string[] = []
  const others: ObjectId[] = []
  const pending = [...changes]
  let path: string | undefined = `/students/?${query}`
  if (isBackwards) path = relation((await ask(path)).link, 'last')
  for (let pages = 0; path !== undefined; pages++) {
    if (pages > 500) throw new Error(`no end: ${path}`)
    const { body, link }: Awaited<ReturnType<Ask>> = await ask(path)
    if (body.students.length > limit) throw new Error(`${body.students.length} on a page of ${limit}`)
    const page = body.students.map(({ id }) => id)
    ids.push(...isBackwards ? page.reverse() : page)
    path = relation(link, isBackwards ? 'prev' : 'next')
    const next = pending.shift()
    if (next) await apply(collection, next, others)
  }
  for (const _id of others) await collection.deleteOne({ _id })
  return isBackwards ? ids.reverse() : ids
}

/** Makes a change to other documents than those that are there all the while. */
export async function apply (collection: Collection, change: Change, others: ObjectId[]): Promise<void> {
  const [other] = others
  if (change.kind === 'delete') {
    if (other) await collection.deleteOne({ _id: other })
    return
  }
  const { _id: unused, ...fields } = change.document
  if (change.kind === 'replace' && other) {
    await collection.findOneAndUpdate({ _id: other }, { $set: fields.name === undefined ? { gpa: 1 } : { name: fields.name } })
    return
  }
  const _id = new ObjectId()
  others.unshift(_id)
  await collection.insertOne({ ...fields, _id } as object)
}

function relation (link: string, name: string): string | undefined {
  return new RegExp(`<([^>]*)>; rel="${name}"`).exec(link)?.[1]
}

export type { Walk }
