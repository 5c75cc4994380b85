import { Writable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import Fastify from 'fastify'
import type { Document } from 'mongodb'
import t, { type Test } from 'tap'
import studentCourseApi from '../../../app.js'
import { runCli } from '../../launch.js'
import { fakeMongodb, hello } from '../../fake-mongodb.js'

const cursor = (firstBatch: object[]) => ({ ok: 1, cursor: { id: 0n, ns: 'college.students', firstBatch } })
const onId = { v: 2, key: { _id: 1 }, name: '_id_' }
const onName = { v: 2, key: { name: 1, _id: 1 }, name: 'name_1__id_1' }

/** A server with these indexes, or with an error for who asks for them, and one document or none; `commands` are those that it got. */
async function server (t: Test, indexes: object[] | Document, isEmpty: boolean) {
  const commands: Document[] = []
  const address = await fakeMongodb(t, (command) => {
    commands.push(command)
    if (command.listIndexes) return Array.isArray(indexes) ? cursor(indexes) : indexes
    if (command.find) return cursor(isEmpty ? [] : [{ _id: 1 }])
    if (command.count) return { ok: 1, n: 1 }
    return hello
  })
  return { url: `mongodb://${address}/?directConnection=true`, commands }
}

/** What the plugin logs at its start on such a server, until it has asked for this. */
async function start (url: string, isDone: (log: string) => boolean): Promise<string> {
  let text = ''
  const stream = new Writable({ write: (chunk, _encoding, done) => { text += chunk; done() } })
  const app = Fastify({ logger: { level: 'warn', stream } })
  await app.register(studentCourseApi, { url })
  await app.ready()
  while (!isDone(text)) await turn()
  await app.close()
  return text
}

const created = (commands: Document[]) => commands.flatMap(({ createIndexes, indexes }) => createIndexes ? indexes.map(({ key }: Document) => Object.keys(key).join()) : [])

t.test('a collection that is new or empty gets the indexes of lists', async (t) => {
  for (const indexes of [[onId, onName], { ok: 0, code: 26, errmsg: 'ns does not exist' }]) {
    const { url, commands } = await server(t, indexes, true)
    t.equal(await start(url, () => commands.some(({ createIndexes }) => createIndexes)), '')
    t.strictSame(created(commands), ['name,_id', 'email,_id', 'course,_id', 'gpa,_id'].slice(Array.isArray(indexes) ? 1 : 0))
  }
})

t.test('on a collection with documents nothing is created unasked, and one line says what is missing', async (t) => {
  const { url, commands } = await server(t, [onId, onName], false)
  t.match(await start(url, (log) => log !== ''), /the collection students lacks the indexes \{ email: 1, _id: 1 \}, \{ course: 1, _id: 1 \}, \{ gpa: 1, _id: 1 \}: create them with/)
  t.strictSame(created(commands), [])
})

t.test('a server that does not answer for its indexes is no reason not to start', async (t) => {
  const { url } = await server(t, { ok: 0, code: 13, errmsg: 'not allowed' }, true)
  const log = await start(url, (log) => log !== '')
  t.match(log, /the indexes of the collection students could not be checked: not allowed/)
  t.notMatch(log, /stack/)
})

t.test('the command lists what is missing, and creates it when told to', async (t) => {
  const { url, commands } = await server(t, [onId, onName], false)
  const env = { MONGODB_URL: url }
  const { code, output } = await runCli(env, 'indexes')
  t.equal(code, 0)
  t.match(output, 'students: 1 of 4 indexes were there. Missing: { email: 1, _id: 1 }, { course: 1, _id: 1 }, { gpa: 1, _id: 1 }.')
  t.strictSame(created(commands), [])
  const made = await runCli(env, 'indexes --create')
  t.match(made.output, /creating \{ email: 1, _id: 1 \} over 1 documents … \d+ ms\n/)
  t.match(made.output, 'students: 1 of 4 indexes were there, 3 created.')
  t.strictSame(created(commands), ['email,_id', 'course,_id', 'gpa,_id'])
  t.equal((await runCli(env, 'indexes x')).code, 2)
  t.equal((await runCli(env, 'indexes --to x')).code, 2)
  const { url: whole } = await server(t, [onId, onName, ...['email', 'course', 'gpa'].map((field) => ({ v: 2, key: { [field]: 1, _id: 1 }, name: field }))], false)
  t.match((await runCli({ MONGODB_URL: whole }, 'indexes')).output, 'students: 4 of 4 indexes were there.')
})
