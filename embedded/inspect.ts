import { closeSync, openSync } from 'node:fs'
import { fieldsOf } from './bson.js'
import { checksumBytes, isWhole } from './checksum.js'
import { DamagedFile } from './damage.js'
import { collectionPrefix, documentKey } from './keys.js'
import { shownEntry, tableNames, type TableName } from './table.js'
import type { Tally } from './tally.js'
import { Walk } from './walk.js'

/**
 * 2 since there are indexes: a program that knows none would write documents without their entries. 3 since values have checksums. 4 since there
 * are indexes to sort by, of which a program that knows only those that expire makes nonsense.
 */
export const formatVersion = 4
/** The first one whose values have checksums. */
export const checksumFormat = 3
export const formatKey = Buffer.from('format')
/** Of older formats. */
export const sizeKey = Buffer.from('size')

export interface Inspection {
  format: number
  documents: number
  /** The values whose checksum is wrong, in words. Whoever asks for one gets an error. */
  damaged: string[]
}

/**
 * Looks at everything in a store's file, without LMDB, which a damaged page can make end the process. Throws an Error by the file's name where it is
 * no store, is of a newer format, or is damaged in more than single values. With a
 * tally the entries of indexes are compared with the documents, which takes several times as long.
 */
export function inspect (path: string, tally?: Tally): Inspection {
  const descriptor = openSync(path, 'r')
  try {
    return read(new Inspector(path, tally), path, descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function read (inspector: Inspector, path: string, descriptor: number): Inspection {
  try {
    return inspector.run(descriptor)
  } catch (error) {
    // Numbers that are no longer lengths of anything are out of some range.
    if (!(error instanceof DamagedFile || error instanceof RangeError)) throw error
    throw new Error(`The store's file ${path} is damaged (${error.message}): restore it from a backup`, { cause: error })
  }
}

class Inspector {
  private format: number | undefined
  private hasUnknown = false
  private documents = 0
  /** Of the collections, which come before their documents. */
  private readonly namespaces = new Set<string>()
  private readonly damaged: string[] = []

  constructor (private readonly path: string, private readonly tally: Tally | undefined) {}

  run (descriptor: number): Inspection {
    new Walk(descriptor).run(name => {
      if (name === '') return (key, value) => this.visitMain(key, value)
      this.checkFormat()
      const table = tableNames.find(one => name === `${one}\0`) // lmdb ends a name so
      if (table === undefined) throw new DamagedFile('it has an unknown part')
      return (key, value, both) => this.visit(table, key, value, both)
    })
    return { format: this.checkFormat(), documents: this.documents, damaged: this.damaged.length > 0 ? this.damaged : this.tally?.faults() ?? [] }
  }

  private visitMain (key: Buffer, value: Buffer): void {
    if (key.equals(formatKey)) this.format = readFormat(key, value)
    else this.hasUnknown ||= !key.equals(sizeKey)
  }

  private checkFormat (): number {
    if (this.format === undefined) throw new Error(`${this.path} is not a store of this program`)
    if (this.format <= formatVersion && this.hasUnknown) throw new DamagedFile('it has an unknown part')
    if (this.format <= formatVersion) return this.format
    throw new Error(`The store ${this.path} has format ${this.format}; this version of the program reads formats up to ${formatVersion}`)
  }

  private visit (table: TableName, key: Buffer, value: Buffer, both?: Buffer): void {
    if (table === 'documents') this.documents++
    if (this.checkFormat() < checksumFormat) return
    const isSound = value.length >= checksumBytes && isWhole(noKey, both ?? Buffer.concat([key, value]))
    if (isSound && table === 'collections') this.namespaces.add(key.toString())
    if (isSound) {
      this.compare(table, key, value.subarray(0, value.length - checksumBytes))
      return
    }
    if (table === 'collections') throw new DamagedFile(shownEntry(table, key))
    if (table === 'documents' && this.isMisplaced(key, value)) throw new DamagedFile('a document stands under the key of another')
    this.damaged.push(shownEntry(table, key))
  }

  private compare (table: TableName, key: Buffer, value: Buffer): void {
    if (table === 'collections') this.tally?.describe(key.toString(), value)
    else if (table === 'documents') this.tally?.document(key, value)
    else this.tally?.entry(key, value)
  }

  /** Whether the value is whole and the key is not its own: then nobody would find the document, or would find another. */
  private isMisplaced (key: Buffer, stored: Buffer): boolean {
    const namespace = key.toString('utf8', 0, key.indexOf(0))
    if (!this.namespaces.has(namespace)) return true
    try {
      const [id] = fieldsOf(stored.subarray(0, stored.length - checksumBytes))
      return id !== undefined && isWhole(documentKey(collectionPrefix(namespace), id), stored)
    } catch {
      return false
    }
  }
}

const noKey = Buffer.alloc(0)

/** A number of a format before 3 has no checksum. */
function readFormat (key: Buffer, value: Buffer): number {
  const isOld = value.length === 8
  if (!isOld && !isWhole(key, value)) throw new DamagedFile('its format can not be read')
  const format = value.readDoubleLE()
  if (!Number.isInteger(format) || format < 1 || isOld !== (format < checksumFormat)) throw new DamagedFile('its format can not be read')
  return format
}
