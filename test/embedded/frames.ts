import { serialize } from 'bson'
import { frame, int32, message } from './support.js'

/** A generator of numbers from 0 to 1 that gives the same ones for the same seed (mulberry32 by Tommy Ettinger, public domain). */
export function randomFrom (seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6D2B79F5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Valid frames of each command and each form of message. They write to collections of their own. */
export function seedFrames (): Buffer[] {
  const $db = 'fuzz'
  const nested = { a: [1, 2.5, { b: 'text', c: [null, true, new Date(0)] }], bytes: Buffer.alloc(20), pattern: /x/i }
  const documents = [{ _id: 1, ...nested }, { _id: 'two', text: 'x'.repeat(300) }, { gpa: 3.5 }]
  const commands = [
    { hello: 1, client: { application: { name: 'fuzz' }, driver: { name: 'x' } } },
    { ping: 1, lsid: { id: Buffer.alloc(16) }, apiVersion: '1', comment: nested },
    { insert: 'frames', documents, ordered: false },
    { find: 'frames', filter: { _id: { $in: [1, 'two', { a: 1 }] } }, limit: 10 },
    { find: 'frames', filter: { text: 'x' }, sort: { _id: -1 }, batchSize: 1 },
    { getMore: 1n, collection: 'frames', batchSize: 10 },
    { killCursors: 'frames', cursors: [1n] },
    { aggregate: 'frames', pipeline: [{ $match: { text: 'x' } }, { $group: { _id: 1, n: { $sum: 1 } } }], cursor: {} },
    { count: 'frames' },
    { findAndModify: 'frames', query: { _id: 1 }, update: { $set: { gpa: 1 }, $setOnInsert: { by: 'fuzz' } }, new: true, upsert: true },
    { findAndModify: 'frames', query: { _id: 2 }, update: { $inc: { count: 1 } }, upsert: true },
    { delete: 'frames', deletes: [{ q: { _id: 1 }, limit: 1 }] },
    { createIndexes: 'frames', indexes: [{ key: { expires_at: 1 }, name: 'expiry', expireAfterSeconds: 0 }] },
    { drop: 'others', writeConcern: { w: 1 } },
    { endSessions: [{ id: Buffer.alloc(16) }] }
  ]
  return [
    ...commands.map(command => message({ ...command, $db })),
    message({ insert: 'frames', $db }, { sequences: { documents } }),
    message({ insert: 'frames', $db, documents, writeConcern: { w: 0 } }, { flags: 2 }),
    frame(2013, int32(1), Buffer.from([0]), serialize({ ping: 1, $db }), int32(0x12345678)),
    frame(2004, int32(0), Buffer.from('admin.$cmd\0'), int32(0), int32(-1), serialize({ ismaster: 1, helloOk: true })),
    frame(2012, int32(2013), int32(100), Buffer.alloc(30))
  ]
}

/** Numbers that lengths, kinds and counts go wrong by. */
const lies = [-0x80000000, -1, 0, 1, 4, 5, 15, 16, 17, 255, 65_536, 16_777_216, 16_793_600, 47_999_999, 48_000_000, 48_000_001, 0x7fffffff]

/** A frame with one to four mutations: bits, bytes cut or put in, lengths that lie, a piece of another frame, a nest of documents. */
export function mutate (frames: Buffer[], random: () => number): Buffer {
  const below = (end: number): number => Math.floor(random() * end)
  const pick = <T>(list: T[], fallback: T): T => list[below(list.length)] ?? fallback
  let bytes: Buffer = Buffer.from(pick(frames, Buffer.alloc(16)))
  const mutations: Array<() => void> = [
    () => { bytes[below(bytes.length)] = (bytes[below(bytes.length)] ?? 0) ^ (1 << below(8)) },
    () => { bytes[below(bytes.length)] = below(256) },
    () => { bytes = bytes.subarray(0, below(bytes.length)) },
    () => { if (bytes.length >= 4) bytes.writeInt32LE(pick(lies, 0), below(bytes.length - 3)) },
    () => { if (bytes.length >= 4) bytes.writeInt32LE(pick(lies, 0)) },
    () => {
      const other = pick(frames, bytes)
      bytes = Buffer.concat([bytes.subarray(0, below(bytes.length)), other.subarray(below(other.length))])
    },
    () => { bytes = Buffer.concat([bytes, Buffer.alloc(below(2000), below(256))]) },
    () => { bytes = message(nest(below(250)), {}) }
  ]
  for (let count = 1 + below(4); count > 0; count--) pick(mutations, () => {})()
  // mostly with the length that they have: what is behind the header is to be met too
  if (bytes.length >= 16 && random() < 0.7) bytes.writeInt32LE(bytes.length)
  return bytes
}

function nest (levels: number): object {
  let document: object = {}
  for (let level = 0; level < levels; level++) document = { a: document }
  return { find: 'frames', filter: document, $db: 'fuzz' }
}
