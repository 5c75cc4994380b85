import { deserialize, serialize } from 'bson'
import t from 'tap'
import { decode, encode, FrameReader } from '../../embedded/wire.js'
import { frame, int32, message, sequence } from './support.js'

const ping = serialize({ ping: 1, $db: 'admin' })

t.test('a stream of bytes is cut into frames, however it arrives', async t => {
  const frames = [message({ ping: 1 }), message({ ping: 22, text: 'x'.repeat(300) }), message({ ping: 3 })]
  const stream = Buffer.concat(frames)
  for (const step of [1, 7, 64, stream.length]) {
    const reader = new FrameReader()
    const seen: Buffer[] = []
    for (let at = 0; at < stream.length; at += step) {
      reader.push(stream.subarray(at, at + step))
      for (let next = reader.next(); next !== undefined; next = reader.next()) seen.push(next)
    }
    t.same(seen, frames, `in steps of ${step}`)
  }
})

t.test('a length that no message can have is refused before anything is kept for it', async t => {
  for (const length of [-1, 0, 15, 48_000_001, 0x7fffffff]) {
    const reader = new FrameReader()
    reader.push(Buffer.concat([int32(length), Buffer.alloc(12)]))
    t.throws(() => reader.next(), { name: 'WireError' }, String(length))
  }
})

t.test('an OP_MSG gives its body, its sequences and whether a reply is wanted', async t => {
  const decoded = decode(message({ insert: 'students' }, { flags: 2, sequences: { documents: [{ a: 1 }, { b: 2 }], more: [] } }))
  t.match(decoded, { requestId: 7, legacy: false, silent: true })
  t.match(deserialize(decoded.body), { insert: 'students', $db: 'college' })
  t.same(decoded.sequences.get('documents')?.map(document => deserialize(document)), [{ a: 1 }, { b: 2 }])
  t.same(decoded.sequences.get('more'), [])
})

t.test('a checksum is passed over', async t => {
  const decoded = decode(frame(2013, int32(1), Buffer.from([0]), ping, int32(0x12345678)))
  t.same(deserialize(decoded.body), { ping: 1, $db: 'admin' })
})

t.test('the legacy handshake is an OP_QUERY and its answer an OP_REPLY', async t => {
  const query = frame(2004, int32(0), Buffer.from('admin.$cmd\0'), int32(0), int32(-1), serialize({ ismaster: 1 }))
  const decoded = decode(query)
  t.match(decoded, { legacy: true, silent: false, database: 'admin' })
  t.same(deserialize(decoded.body), { ismaster: 1 })
  const reply = encode(7, true, serialize({ ok: 1 }))
  t.equal(reply.readInt32LE(), reply.length)
  t.equal(reply.readInt32LE(8), 7, 'it says to what it replies')
  t.equal(reply.readInt32LE(12), 1)
  t.equal(reply.readInt32LE(32), 1, 'one document')
  t.same(deserialize(reply.subarray(36)), { ok: 1 })
})

t.test('a malformed message is refused as a whole', async t => {
  const body = Buffer.concat([Buffer.from([0]), ping])
  const cases: Record<string, Buffer> = {
    compressed: frame(2012, int32(2013), int32(100), Buffer.from([1])),
    'an unknown opcode': frame(4711, ping),
    'no flags': frame(2013),
    'an unknown required flag': frame(2013, int32(4), body),
    'no section': frame(2013, int32(0)),
    'no body': frame(2013, int32(0), sequence('documents', [])),
    'two bodies': frame(2013, int32(0), body, body),
    'a section of kind 2': frame(2013, int32(0), body, Buffer.from([2]), ping),
    'a cut body': frame(2013, int32(0), body.subarray(0, -3)),
    'a body of negative length': frame(2013, int32(0), Buffer.from([0]), int32(-5), ping),
    'a body of length 4': frame(2013, int32(0), Buffer.from([0]), int32(4), ping),
    'a sequence twice': frame(2013, int32(0), body, sequence('documents', []), sequence('documents', [])),
    'a sequence without a name': frame(2013, int32(0), body, Buffer.from([1]), int32(6), Buffer.from('ab')),
    'a sequence whose document reaches over its end': frame(2013, int32(0), body, sequence('documents', [ping.subarray(0, -4)])),
    'an OP_QUERY for a collection': frame(2004, int32(0), Buffer.from('college.students\0'), int32(0), int32(-1), ping),
    'an OP_QUERY without an end of its name': frame(2004, int32(0), Buffer.from('admin.$cmd')),
    'an OP_QUERY without a document': frame(2004, int32(0), Buffer.from('admin.$cmd\0'), int32(0), int32(-1))
  }
  for (const [title, bytes] of Object.entries(cases)) t.throws(() => decode(bytes), { name: 'WireError' }, title)
})
