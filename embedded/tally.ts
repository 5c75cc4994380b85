import { crc32 } from 'node:zlib'
import { entryOf, type Index } from './indexes.js'
import { collectionPrefix } from './keys.js'
import { shownEntry } from './table.js'

interface Balance {
  index: Index
  entries: number
  sum: number
}

/**
 * Whether the entries of indexes are those that their documents have. Of each index the entries are counted, and their checksums added up, once from the
 * documents and once as they stand: so memory does not grow with the store, and a fault is told of an index and not of a document.
 */
export class Tally {
  private readonly balances = new Map<string, Balance[]>()
  private readonly strays: string[] = []

  /** Takes a collection's description, before what belongs to it. */
  describe (namespace: string, description: Buffer): void {
    const { indexes }: { indexes: Index[] } = JSON.parse(description.toString())
    this.balances.set(namespace, indexes.map(index => ({ index, entries: 0, sum: 0 })))
  }

  document (key: Buffer, document: Buffer): void {
    const { namespace, balances } = this.of(key)
    for (const [place, balance] of balances.entries()) {
      const entry = entryOf(collectionPrefix(namespace), place, balance.index, key, document)
      if (entry !== undefined) change(balance, 1, entry, key)
    }
  }

  entry (key: Buffer, document: Buffer): void {
    const { namespace, balances } = this.of(key)
    const balance = balances[key.readUInt8(Buffer.byteLength(namespace) + 1)]
    if (balance === undefined) this.strays.push(`${shownEntry('entries', key)}, which is in no index`)
    else change(balance, -1, key, document)
  }

  /** What does not fit, in words; of an index that is not built, nothing is known. */
  faults (): string[] {
    const unequal = [...this.balances].flatMap(([namespace, balances]) => balances
      .filter(({ index, entries, sum }) => index.built && (entries !== 0 || sum !== 0))
      .map(({ index }) => `the index ${index.name} of ${namespace}, whose entries are not those of its documents`))
    return [...this.strays, ...unequal]
  }

  private of (key: Buffer): { namespace: string, balances: Balance[] } {
    const namespace = key.toString('utf8', 0, key.indexOf(0))
    return { namespace, balances: this.balances.get(namespace) ?? [] }
  }
}

function change (balance: Balance, by: 1 | -1, entry: Buffer, document: Buffer): void {
  balance.entries += by
  // of 32 bits, whatever the number of entries
  balance.sum = (balance.sum + by * crc32(document, crc32(entry))) | 0
}
