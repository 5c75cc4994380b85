import { createHook } from 'node:async_hooks'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import Fastify from 'fastify'
import t from 'tap'
import studentCourseApi from '../../app.js'
import { codingsOf, compressLists } from '../../server/compression.js'
import { janeDoe } from '../samples.js'
import { client } from '../store.js'

type Test = Pick<typeof t, 'teardown'>

const hasZstd = 'zstdCompress' in zlib
const decompress: Record<string, (payload: Buffer) => Promise<Buffer>> = {
  br: promisify<Buffer, Buffer>(zlib.brotliDecompress),
  gzip: promisify<Buffer, Buffer>(zlib.gunzip),
  ...hasZstd && { zstd: promisify((zlib as unknown as { zstdDecompress: typeof zlib.gunzip }).zstdDecompress as (payload: Buffer, done: (error: Error | null, result: Buffer) => void) => void) } // Node 22.15 has it
}

async function build (t: Test) {
  const app = Fastify()
  const database = client.db(`test_compression_${Math.random()}`.replace('.', ''))
  t.teardown(async () => {
    await app.close()
    await database.dropDatabase()
  })
  compressLists(app)
  await app.register(studentCourseApi, { client, database: database.databaseName })
  const create = async (count: number) => {
    for (let at = 0; at < count; at++) await app.inject({ method: 'POST', url: '/students/', payload: { ...janeDoe, name: `Jane ${at}` } })
  }
  const get = async (url: string, encoding: string | undefined, method: 'GET' | 'HEAD' = 'GET', headers = {}) =>
    app.inject({ method, url, headers: { ...encoding !== undefined && { 'accept-encoding': encoding }, ...headers } })
  return { app, create, get }
}

t.test('lists and exports over 1 KB are compressed as the client prefers, and read the same', async (t) => {
  const { create, get } = await build(t)
  await create(30)
  for (const url of ['/students/', '/students/export?format=csv', '/students/export']) {
    const plain = await get(url, undefined)
    t.notOk(plain.headers['content-encoding'])
    t.match(plain.headers.vary, /accept-encoding/)
    for (const [accepted, expected] of [['gzip', 'gzip'], ['br', 'br'], ['gzip, deflate, br', 'br'], ['*', hasZstd ? 'zstd' : 'br'], ['gzip;q=1, br;q=0.5', 'gzip'], ['gzip, deflate, br, zstd', hasZstd ? 'zstd' : 'br']] as const) {
      const answer = await get(url, accepted)
      t.equal(answer.headers['content-encoding'], expected, `${url} ${accepted}`)
      t.ok(answer.rawPayload.length < plain.rawPayload.length / 2)
      t.ok((await decompress[expected]?.(answer.rawPayload))?.equals(plain.rawPayload))
      t.equal(answer.headers.etag, plain.headers.etag)
    }
    for (const accepted of ['identity', 'deflate', 'gzip;q=0', '']) t.notOk((await get(url, accepted)).headers['content-encoding'], accepted)
  }
})

t.test('a short list, one student, and what is written or refused are never compressed', async (t) => {
  const { app, create, get } = await build(t)
  await create(1)
  const list = await get('/students/', 'gzip')
  t.notOk(list.headers['content-encoding'])
  const { students: [student] } = list.json()
  const created = await app.inject({ method: 'POST', url: '/students/', headers: { 'accept-encoding': 'gzip' }, payload: { ...janeDoe, course: 'x'.repeat(180), name: 'y'.repeat(190) } })
  for (const answer of [await get(`/students/${student.id}`, 'gzip'), created, await get('/students/?nope=1', 'gzip')]) {
    t.notOk(answer.headers['content-encoding'])
    t.notOk(answer.headers.vary)
  }
})

t.test('HEAD tells what GET does, and what the client has is 304 with the same Vary', async (t) => {
  const { create, get } = await build(t)
  await create(30)
  const [got, headed] = [await get('/students/', 'gzip'), await get('/students/', 'gzip', 'HEAD')]
  for (const name of ['content-encoding', 'content-length', 'etag', 'vary', 'content-type']) t.equal(headed.headers[name], got.headers[name], name)
  t.equal(headed.rawPayload.length, 0)
  const unchanged = await get('/students/', 'gzip', 'GET', { 'if-none-match': got.headers.etag })
  t.equal(unchanged.statusCode, 304)
  t.equal(unchanged.headers.vary, got.headers.vary)
  t.notOk(unchanged.headers['content-encoding'])
})

t.test('requests that share a list share its compressed bytes', async (t) => {
  const { create, get } = await build(t)
  // as texts and, where they are long, as bytes
  for (const students of [30, 270]) {
    await create(students)
    let count = 0
    // counted where it is compressed: the threads of zlib
    const hook = createHook({ init: (_id, type) => { if (type === 'ZLIB') count++ } }).enable()
    const answers = await Promise.all(Array.from({ length: 20 }, async () => get('/students/?limit=1000', 'gzip')))
    hook.disable()
    for (const answer of answers) t.equal(answer.headers['content-encoding'], 'gzip')
    t.ok(count >= 1 && count <= 3, `${count} compressions for 20 requests of ${students} students and more`)
  }
})

t.test('zstd is offered where Node has it, and then first', async (t) => {
  const { brotliCompress, createBrotliCompress, createGzip, gzip } = zlib
  const without = { brotliCompress, createBrotliCompress, createGzip, gzip }
  t.strictSame([...codingsOf(without).keys()], ['br', 'gzip'])
  const zstdCompress = (payload: Buffer, done: (error: Error | null, compressed: Buffer) => void) => done(null, payload)
  const codings = codingsOf({ ...without, zstdCompress, createZstdCompress: () => createGzip() })
  t.strictSame([...codings.keys()], ['zstd', 'br', 'gzip'])
  t.equal((await codings.get('zstd')?.compress(Buffer.from('x')))?.toString(), 'x')
})
