import { fieldNamed, fieldsOf, types, type Field } from './bson.js'
import { nothing } from './compare.js'
import { MongoError } from './errors.js'
import { valueKey } from './keys.js'
import { checkKind, numberOf } from './request.js'
import { maxSortKeys } from './surface.js'

export interface SortKey {
  field: string
  descending: boolean
}

/** Takes { field: 1, other: -1 }, on fields of the top level. */
export function parseSort (sort: Buffer): SortKey[] {
  const keys = fieldsOf(sort).map(parseKey)
  if (keys.length > maxSortKeys) throw new MongoError('CommandNotSupported', `The embedded store sorts by at most ${maxSortKeys} fields`)
  return keys
}

function parseKey (field: Field): SortKey {
  const { name } = field
  if (name === '') throw new MongoError('Location40352', 'FieldPath cannot be constructed with empty string')
  if (name.startsWith('$')) throw new MongoError('Location16410', `FieldPath field names may not start with '$', given '${name}'`)
  if (name.includes('.')) throw new MongoError('CommandNotSupported', `The embedded store sorts by fields of the top level only, not '${name}'`)
  checkKind('sort', field, 'number')
  const direction = numberOf(field)
  if (direction !== 1 && direction !== -1) throw new MongoError('Location15975', '$sort key ordering must be 1 (for ascending) or -1 (for descending)')
  return { field: name, descending: direction === -1 }
}

const undefinedKey = valueKey({ ...nothing, type: types.undefined })

/** What a document sorts by: of an array its least element, or its greatest where that comes first; an empty one stands before null. */
export function keysOf (document: Buffer, keys: SortKey[]): Buffer[] {
  return keys.map(({ field, descending }) => {
    const found = fieldNamed(document, field) ?? nothing
    if (found.type !== types.array) return valueKey(found)
    const elements = fieldsOf(found.value).map(valueKey).sort(Buffer.compare)
    return (descending ? elements.at(-1) : elements[0]) ?? undefinedKey
  })
}

/** Puts what two documents sort by in order. */
export function inOrder (sort: SortKey[]): (a: Buffer[], b: Buffer[]) => number {
  return (a, b) => {
    for (const [place, key] of a.entries()) {
      // both have a key for each of the sort
      const order = Buffer.compare(key, b[place] as Buffer)
      if (order !== 0) return sort[place]?.descending === true ? -order : order
    }
    return 0
  }
}
