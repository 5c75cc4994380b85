import { setTimeout as sleep } from 'node:timers/promises'
import type { Document } from 'mongodb'
import Fastify from 'fastify'
import t from 'tap'
import studentCourseApi from '../../app.js'
import { fakeMongodb, hello } from '../fake-mongodb.js'
import { key } from './secured.js'

t.test('on a server without TTL indexes the API removes what has expired itself, and says so once for each collection', async (t) => {
  const deletes: Document[] = []
  const server = await fakeMongodb(t, (command) => {
    if (command.createIndexes) return { ok: 0, code: 238, codeName: 'NotImplemented', errmsg: 'no such option' }
    if (!command.delete) return hello
    deletes.push(command)
    return { ok: 1, n: 0 }
  })
  const lines: { level: number, msg: string }[] = []
  const app = Fastify({ logger: { level: 'warn', stream: { write: (line: string) => lines.push(JSON.parse(line)) } } })
  await app.register(studentCourseApi, { url: `mongodb://${server}/?directConnection=true`, auth: { keys: [key] } })
  for (let waited = 0; deletes.length < 3 && waited < 100; waited++) await sleep(10)
  await app.close()
  t.strictSame(deletes.map((command) => command.delete), ['refresh_tokens', 'token_endings', 'login_counters'])
  for (const { deletes: [{ q, limit }] } of deletes as unknown as { deletes: [Document] }[]) {
    t.equal(limit, 0)
    t.ok(Math.abs(q.expires_at.$lte.getTime() - Date.now()) < 10_000)
  }
  t.match(lines, [{ level: 40, msg: /no TTL indexes.*refresh_tokens/ }, { level: 40, msg: /no TTL indexes.*token_endings/ }, { level: 40, msg: /no TTL indexes.*login_counters/ }])
})

t.test('any other refusal of an index is an error at the start', async (t) => {
  const server = await fakeMongodb(t, (command) => command.createIndexes ? { ok: 0, code: 13, codeName: 'Unauthorized', errmsg: 'not allowed' } : hello)
  const app = Fastify()
  t.teardown(() => app.close())
  await t.rejects(async () => app.register(studentCourseApi, { url: `mongodb://${server}/?directConnection=true`, auth: { keys: [key] } }))
})
