import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** A mistake in the embedded store, as a change of its built text. */
export interface Fault {
  title: string
  file: string
  from: string
  to: string
}

export const faults: Fault[] = [
  { title: 'a comparison inverted: $gt finds what is below', file: 'conditions.js', from: '$gt: order => order > 0', to: '$gt: order => order < 0' },
  { title: 'a filter that leaves types out of account', file: 'conditions.js', from: 'if (!isWithin)', to: 'if (false)' },
  { title: 'a null that a missing field does not equal', file: 'conditions.js', from: 'meets(field ?? nothing)', to: 'meets(field)' },
  { title: 'an array that sorts by its least element in any direction', file: 'sort.js', from: 'descending ? elements.at(-1) : elements[0]', to: 'elements[0]' },
  { title: 'a sort that loses a document where it drops one', file: 'sorted.js', from: 'this.heap.compare(kept, this.heap.last) >= 0', to: 'this.heap.compare(kept, this.heap.last) <= 0' },
  { title: 'an index entry dropped: none for the dates of an array', file: 'ttl.js', from: 'found.type === types.array ? fieldsOf(found.value) : [found]', to: '[found]' },
  { title: 'an index entry left behind: a changed date does not replace the old one', file: 'collection.js', from: 'this.storage.remove(this.storage.entries, old)', to: 'void old' },
  { title: 'a range that leaves out its own end', file: 'bounds.js', from: "operator.endsWith('e') ? equalTo", to: 'false ? equalTo' },
  { title: 'a NaN that is below other numbers', file: 'bounds.js', from: 'isNumber(value) ? after(keyOf(notANumber)) : rank.start', to: 'rank.start' },
  { title: 'an index in whose order arrays stand as they are kept', file: 'plan.js', from: 'isInOrder: !hasArrays', to: 'isInOrder: true' },
  { title: 'an index that serves any direction of _id', file: 'plan.js', from: 'second.descending === first?.descending', to: 'true' },
  { title: 'a count of keys that takes null for a missing field', file: 'bounds.js', from: 'rank !== rankOf(nothing.type) && ', to: '' },
  { title: 'an int32 that wraps around', file: 'increment.js', from: 'isWithin(sum, int32Limit)', to: 'true' },
  { title: 'numbers of two types that are two keys', file: 'keys.js', from: '[types.double, 4], [types.int32, 4]', to: '[types.double, 4], [types.int32, 5]' },
  { title: '$setOnInsert on what is there', file: 'update.js', from: "isNew || operator !== '$setOnInsert'", to: 'true' },
  { title: 'a batch that goes on after its first error', file: 'commands/insert.js', from: 'if (ordered)', to: 'if (false)' },
  { title: 'a cursor that loses a document between two batches', file: 'scan.js', from: 'if (found.length === wanted || bytes <= 0)\n                break;\n            this.pass(met);', to: 'this.pass(met);\n            if (found.length === wanted || bytes <= 0)\n                break;' },
  { title: 'an upsert that writes over a document', file: 'commands/findAndModify.js', from: 'if (collection.get(key) !== undefined)', to: 'if (false)' },
  { title: 'a sort that does not look at its direction', file: 'sort.js', from: 'descending: direction === -1', to: 'descending: false' },
  { title: 'an unknown field that passes', file: 'surface.js', from: 'throw new MongoError(unknown, ', to: "return 'any'; throw new MongoError(unknown, " }
]

const built = fileURLToPath(new URL('../../embedded', import.meta.url))

/** A copy of the built store with the fault in it. */
export async function plant ({ title, file, from, to }: Fault): Promise<{ serve: typeof import('../../embedded/server.js')['serve'], remove: () => Promise<void> }> {
  // beside the original, where the packages are found
  const copy = await mkdtemp(join(built, '..', 'fault-'))
  await cp(built, copy, { recursive: true })
  const path = join(copy, file)
  const text = await readFile(path, 'utf8')
  if (!text.includes(from)) throw new Error(`${file} does not have the text that the fault changes: ${title}`)
  await writeFile(path, text.replace(from, to))
  const { serve } = await import(pathToFileURL(join(copy, 'server.js')).href)
  return { serve, remove: () => rm(copy, { recursive: true }) }
}
