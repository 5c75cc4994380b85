import { arrays, boundsOf, idSpace, indexSpace, type Bounds } from './bounds.js'
import type { Collection } from './collection.js'
import type { Filter, Selection } from './filter.js'
import { cutKeyBytes, indexPrefix } from './keys.js'
import { common, united, wholeRange, type Range } from './ranges.js'
import type { SortKey } from './sort.js'
import type { TableName } from './table.js'

/** Where to look for the documents of a filter: everywhere in these ranges of keys, each to be tried. */
export interface Path {
  table: Extract<TableName, 'documents' | 'entries'>
  /** The field whose values the keys begin with. */
  field: string
  /** In the order of their keys. */
  ranges: Range[]
  /** Whether all that is there is meant, so that nothing has to be read to know. */
  isExact: boolean
  /** Whether what is there stands in the order of the field. */
  isInOrder: boolean
  /** Whether the filter says that it is not everywhere. */
  isNarrowed: boolean
}

export interface Plan {
  path: Path
  /** Whether the path has the documents in the order that is asked for, once it is walked in this direction. */
  isSorted: boolean
  reverse: boolean
}

/** So few entries are looked at one by one, whatever order they have: no walk in order is cheaper. */
const fewEntries = 1000
/** Beyond so many, two indexes are taken to be equally good. */
const countedEntries = 10_000

/** Where an `_id` is named, the main table. */
export function mainPath ({ prefix }: Collection, filter: Filter): Path {
  return pathOf('documents', idSpace.field, prefix, boundsOf(filter, idSpace))
}

/**
 * The index that has the order asked for, if there is one; but one that leaves few documents, which then are sorted in memory, is better, and so is
 * the one that leaves the fewest where none has the order.
 */
export function planFor (collection: Collection, { filter, ids }: Selection, sort: SortKey[]): Plan {
  const main = mainPath(collection, filter)
  const [first] = sort
  const order = { field: first?.field ?? idSpace.field, reverse: first?.descending === true }
  const paths = ids === undefined ? [main, ...indexPaths(collection, filter)] : [main]
  const inOrder = paths.find(({ field, isInOrder }) => field === order.field && isInOrder && isServed(sort, field))
  const path = fewest(collection, paths, first === undefined ? undefined : inOrder) ?? inOrder ?? main
  return { path, isSorted: first === undefined || path === inOrder, reverse: path === inOrder && order.reverse }
}

/** Whether keys of one field and then `_id` are enough: both in one direction, or nothing but the one; what follows on `_id` changes nothing. */
function isServed ([first, second]: SortKey[], field: string): boolean {
  if (second === undefined || field === idSpace.field) return true
  return second.field === idSpace.field && second.descending === first?.descending
}

function indexPaths (collection: Collection, filter: Filter): Path[] {
  return collection.known.flatMap((index, place) => {
    if (!index.built || index.expireAfterSeconds !== undefined) return []
    const prefix = indexPrefix(collection.prefix, place)
    const path = pathOf('entries', index.field, prefix, boundsOf(filter, indexSpace(index.field)))
    const apart = path.ranges.length === 0 ? [] : common(path.ranges, inKeys(prefix, [arrays]))
    const hasArrays = collection.countKeys('entries', apart, 1) > 0
    return [{ ...path, isExact: path.isExact && !hasArrays, isInOrder: !hasArrays }]
  })
}

/** The narrowed path with the fewest keys: of all, or, where one has the order, of those that have few. */
function fewest (collection: Collection, paths: Path[], inOrder: Path | undefined): Path | undefined {
  const limit = inOrder === undefined ? countedEntries : fewEntries
  const counted = paths.filter(path => path.isNarrowed && path !== inOrder).map(path => ({ path, count: collection.countKeys(path.table, path.ranges, limit) }))
  const [best] = counted.filter(({ count }) => inOrder === undefined || count < limit).sort((a, b) => a.count - b.count)
  return best?.path
}

function pathOf (table: Path['table'], field: string, prefix: Buffer, { ranges, isExact }: Bounds): Path {
  const isCut = ranges.some(({ start, end }) => prefix.length + Math.max(start.length, end.length) > cutKeyBytes)
  const [only] = ranges
  const isNarrowed = ranges.length !== 1 || only?.start.length !== 0 || !only.end.equals(wholeRange.end)
  return { table, field, ranges: united(inKeys(prefix, ranges)), isExact: isExact && !isCut, isInOrder: true, isNarrowed }
}

/** Bounds as keys. One that is too long is cut so that nothing is left out: what begins alike may stand anywhere. */
function inKeys (prefix: Buffer, ranges: Range[]): Range[] {
  return ranges.map(range => {
    const [start, end] = [Buffer.concat([prefix, range.start]), Buffer.concat([prefix, range.end])]
    if (Math.max(start.length, end.length) <= cutKeyBytes) return { ...range, start, end }
    const last = end.length <= cutKeyBytes ? end : Buffer.concat([end.subarray(0, cutKeyBytes), Buffer.alloc(32, 0xff)])
    return { start: start.subarray(0, cutKeyBytes), end: last }
  })
}
