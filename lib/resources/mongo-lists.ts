import type { Collection, Filter as MongoFilter } from 'mongodb'
import pLimit from 'p-limit'
import { StoreUnavailableError } from '../http/errors.js'
import { Batches } from '../mongodb/batch.js'
import { findRaw } from '../mongodb/find-raw.js'
import { patiently } from '../mongodb/patience.js'
import type { StoreGuard } from '../mongodb/store-guard.js'
import { decodeCursor, encodeCursor, scopeOf, type Cursor } from '../query/cursor.js'
import { allOf, toFilter, type Filter } from '../query/filter.js'
import { after, isSortable, keysOf, positionsOf, type Position } from '../query/keyset.js'
import { COUNT_BOUND, CREATED, MAX_CURSOR } from '../query/grammar.js'
import type { Condition, ListQuery, Page } from '../query/list-query.js'
import { InvalidQueryError } from '../query/query-error.js'
import { indexText } from './indexes.js'
import type { StoredDocument } from './mongo-records.js'
import type { StoredIds } from './stored-ids.js'

/** Documents that a stream reads at a time. */
const PIECE = 1_000

/** Streams that read at the same moment; with more, those who read one record would wait for them. */
const MAX_STREAMING = 2

type OrderKey = Pick<Position, 'key' | 'isDescending'>

/** Documents of a page, and where the pages around it begin. */
type RawPage = Omit<Page<Buffer>, 'total'>

/** Documents of a stream, and where the next piece begins, if there is one. */
interface Piece {
  items: readonly Buffer[]
  position: Position[] | undefined
}

/** A query as MongoDB is asked. */
interface Plan {
  order: readonly OrderKey[]
  scope: Buffer
  cursor: Cursor | undefined
  filter: Filter
  limit: number
  skip: number
  projection: Record<string, 1>
}

/** The lists of a collection, page by page. Requests that wait together and ask the same share one find; different ones do not wait for each other. */
export class MongoLists {
  #collection: Collection<StoredDocument>
  #guard: StoreGuard
  #fields: readonly string[]
  #ids: StoredIds | undefined
  /** By what is asked for: those that wait, or whose answer is under way. */
  #shared = new Map<string, { batches: Batches<undefined, RawPage>, waiting: number }>()
  #streaming = pLimit(MAX_STREAMING)

  /**
   * @param fields those of the resource
   * @param ids by which each record is shown; without them a list has all that the filters find
   */
  constructor (collection: Collection<StoredDocument>, guard: StoreGuard, fields: readonly string[], ids?: StoredIds) {
    this.#collection = collection
    this.#guard = guard
    this.#fields = fields
    this.#ids = ids
  }

  /** Throws InvalidQueryError for a cursor that is not of this list. */
  async page (query: ListQuery): Promise<RawPage> {
    const { count, ...asked } = query
    const plan = this.#plan(query)
    const key = JSON.stringify(asked)
    const shared = this.#shared.get(key) ?? { batches: this.#batches(plan), waiting: 0 }
    this.#shared.set(key, shared)
    shared.waiting++
    return this.#guard.readIn(shared.batches, undefined)
      .catch((error) => { throw withAdvice(error, query) })
      .finally(() => { if (--shared.waiting === 0) this.#shared.delete(key) })
  }

  /**
   * All documents that meet the query, in pieces. Each piece is a find of its own that goes on where the last one ended: no cursor stays open on the
   * server, and a database that is away for a while only holds the stream up. A piece is read while the one before it is used.
   */
  async * stream (query: ListQuery, signal: AbortSignal): AsyncGenerator<readonly Buffer[]> {
    const plan = this.#plan(query)
    let next: Promise<Piece> | undefined = this.#piece(plan, undefined).catch((error) => { throw withAdvice(error, query) })
    while (next) {
      const { items, position }: Piece = await next
      next = position && patiently(async () => this.#piece(plan, position), signal)
      // whoever stops here leaves it behind
      next?.catch(() => {})
      yield items
    }
  }

  /** How many records match; undefined where the database does not say it in time. */
  async total ({ conditions, anyOf, sort, count }: ListQuery): Promise<Page<never>['total']> {
    const bound = count === 'bounded' ? COUNT_BOUND : undefined
    const $match = allOf([toFilter(conditions, anyOf), ...sort.map(({ field }) => isSortable(storedName(field)))])
    const pipeline = [{ $match }, ...bound === undefined ? [] : [{ $limit: bound }], { $count: 'value' }]
    try {
      const [counted] = await this.#guard.read(async (signal) => this.#collection.aggregate<{ value: number }>(pipeline, { signal }).toArray())
      const value = counted?.value ?? 0 // of no documents there is no count
      return { value, relation: value === bound ? 'gte' : 'eq' }
    } catch (error) {
      if (error instanceof StoreUnavailableError) return undefined
      throw error
    }
  }

  #plan ({ conditions, anyOf, sort, fields, limit, cursor: text, offset }: ListQuery): Plan {
    const order = orderOf(sort)
    const scope = scopeOf(JSON.stringify([order, meaningOf(conditions), ...anyOf ? [anyOf.map((each) => JSON.stringify(meaningOf(each))).sort()] : []]))
    const cursor = text === undefined ? undefined : readCursor(text, scope)
    const shown = fields === undefined || fields.includes('etag') ? this.#fields : fields
    return {
      order: cursor?.direction === 'before' ? order.map(({ key, isDescending }) => ({ key, isDescending: !isDescending })) : order,
      scope,
      cursor,
      filter: allOf([toFilter(conditions, anyOf), ...order.slice(0, -1).map(({ key }) => isSortable(key)), ...offset > 0 ? [this.#canBeShown()] : []]),
      limit,
      skip: offset,
      projection: Object.fromEntries(['_id', ...shown, ...order.map(({ key }) => key)].filter((name) => name !== 'id').map((name) => [name, 1]))
    }
  }

  /** Records with other ids are not shown, so an offset does not count them. */
  #canBeShown (): Filter {
    return { _id: { $type: this.#ids?.types ?? ['string'] } }
  }

  async #piece (plan: Plan, position: Position[] | undefined): Promise<Piece> {
    const keys = plan.order.map(({ key }) => key)
    return this.#streaming(async () => this.#guard.read(async (signal) => {
      const documents = await this.#find(plan, position, PIECE, 0, signal)
      const last = documents.length === PIECE ? documents.at(-1) : undefined
      return { items: await this.#listable(documents, signal), position: last && positionsOf(keysOf(last, keys), plan.order) }
    }))
  }

  #batches (plan: Plan): Batches<undefined, RawPage> {
    return new Batches({
      operation: 'list',
      send: async (callers) => {
        // with its own place among those that go alone, however many lists there are
        const page = await this.#guard.read(async (signal) => this.#read(plan, signal))
        return callers.map(() => page)
      },
      maxUnderWay: 1,
      maxItems: Infinity
    })
  }

  async #read (plan: Plan, signal: AbortSignal): Promise<RawPage> {
    const { cursor, order, limit, skip } = plan
    const found: Buffer[] = []
    let position = cursor?.values && validPosition(cursor.values, order)
    for (;;) {
      const wanted = limit + 1 - found.length
      const documents = await this.#find(plan, position, wanted, found.length === 0 ? skip : 0, signal)
      found.push(...await this.#listable(documents, signal))
      const last = documents.at(-1)
      if (!last || documents.length < wanted || found.length > limit) return toPage(plan, found)
      position = positionsOf(keysOf(last, order.map(({ key }) => key)), order)
    }
  }

  async #find ({ filter, order, projection }: Plan, position: Position[] | undefined, limit: number, skip: number, signal: AbortSignal) {
    const sort = Object.fromEntries(order.map(({ key, isDescending }): [string, 1 | -1] => [key, isDescending ? -1 : 1]))
    const whole = (position ? after(position, filter) : filter) as MongoFilter<StoredDocument> // of our own making
    return findRaw(this.#collection, whole, { limit, sort, skip, projection, signal })
  }

  /**
   * Those of the documents that a list shows: what it shows can be asked for by its id. So an id of another type, or text that
   * no id can be, is left out, and so is text that stands for the ObjectId of another document, which wins.
   */
  async #listable (documents: Buffer[], signal: AbortSignal): Promise<Buffer[]> {
    const known = this.#ids
    if (!known) return documents
    const ids = documents.map((bson) => known.of(bson))
    if (ids.every((id) => id?.isSure)) return documents
    const texts = ids.flatMap((id) => id && !id.isSure ? [id.text.toLowerCase()] : [])
    const taken = new Set(texts.length > 0 ? await this.#objectIds(texts, known, signal) : [])
    return documents.filter((_, index) => {
      const id = ids[index]
      return id && (id.isSure || !taken.has(id.text.toLowerCase()))
    })
  }

  async #objectIds (texts: string[], ids: StoredIds, signal: AbortSignal): Promise<(string | undefined)[]> {
    const filter = { _id: { $in: texts.map((text) => ids.stored(text)) } }
    return (await findRaw(this.#collection, filter, { limit: texts.length, projection: { _id: 1 }, signal })).map((bson) => ids.of(bson)?.text)
  }
}

/** The whole order, in which no two documents share a place; an index on the first key serves it, also backwards. */
function orderOf (sort: ListQuery['sort']): OrderKey[] {
  const keys = sort.map(({ field, isDescending }) => ({ key: storedName(field), isDescending }))
  const last = keys.at(-1)
  return last?.key === '_id' ? keys : [...keys, { key: '_id', isDescending: last?.isDescending ?? false }]
}

/** What a filter asks, in whatever order it came. */
function meaningOf (conditions: readonly Condition[]): unknown[] {
  return conditions.map(({ field, operator, value }) => [field, operator, value]).sort()
}

function storedName (field: string): string {
  return field === 'id' ? '_id' : field
}

function readCursor (text: string, scope: Buffer): Cursor {
  const cursor = decodeCursor(text, scope)
  if (typeof cursor === 'string') throw new InvalidQueryError([{ parameter: 'cursor', detail: cursor }])
  return cursor
}

function validPosition (values: Buffer, order: readonly OrderKey[]): Position[] {
  const position = positionsOf(values, order)
  if (!position) throw new InvalidQueryError([{ parameter: 'cursor', detail: 'is malformed' }])
  return position
}

/** @param found the documents in the order in which they were asked for, and one more where there is one */
function toPage ({ cursor, scope, order, limit, skip }: Plan, found: Buffer[]): RawPage {
  const isBackwards = cursor?.direction === 'before'
  const keys = order.map(({ key }) => key)
  const text = (direction: Cursor['direction'], document: Buffer) => encodeCursor({ direction, values: keysOf(document, keys) }, scope)
  let items = found.slice(0, limit)
  let edge = found.length > limit ? items.at(-1) : undefined
  // what is too long for a cursor begins the next page rather than ends this one
  while (edge && text('after', edge).length > MAX_CURSOR) {
    items = items.slice(0, -1)
    edge = items.at(-1)
  }
  if (found.length > 0 && items.length === 0) throw new InvalidQueryError([{ parameter: 'sort', detail: 'meets a record whose value is too long to go on from' }])
  if (isBackwards) items.reverse()
  const [first] = items
  const last = items.at(-1)
  const hasAfter = isBackwards ? cursor.values !== undefined : edge !== undefined
  const hasBefore = isBackwards ? edge !== undefined : cursor !== undefined || skip > 0
  return {
    items,
    ...last && hasAfter && { next: text('after', last) },
    ...first && hasBefore && text('before', first).length <= MAX_CURSOR && { prev: text('before', first) },
    ...last && { last: encodeCursor({ direction: 'before' }, scope) }
  }
}

/** A list that takes too long most likely lacks an index. */
function withAdvice (error: unknown, query: ListQuery): unknown {
  const indexes = helpfulIndexes(query)
  const isLate = error instanceof StoreUnavailableError && (error.cause as Error | undefined)?.name === 'TimeoutError'
  if (!isLate || indexes.length === 0) return error
  const advice = indexes.length === 1 ? `The index ${indexes[0]}` : `The indexes ${indexes.join(', ')}`
  return new StoreUnavailableError(`Try again later, or with a filter on fewer records. ${advice} would help.`, { cause: error.cause })
}

/** Of the first key or condition on a field; an `or` without one needs an index for each of its filters. */
function helpfulIndexes ({ conditions, anyOf = [], sort }: ListQuery): string[] {
  const first = (of: readonly Condition[]) => of.find(({ field, kind }) => kind !== 'id' && field !== CREATED)?.field
  const field = sort[0]?.field ?? first(conditions)
  const fields = field === undefined ? anyOf.map(first) : [field]
  return [...new Set(fields)].flatMap((field) => field === undefined || storedName(field) === '_id' ? [] : [indexText({ [field]: 1, _id: 1 })])
}
