import t from 'tap'
import studentCourseApi from '../../app.js'
import { client } from '../store.js'
import { buildHost, newDatabase, prefix } from './host.js'

t.test('an option that is not what it has to be fails at register, with all the others', async (t) => {
  const host = await buildHost(t)
  const wrong = { url: 5, client: {}, embedded: '', database: 'a b', timeoutMs: -1, students: {}, extend: {}, users: null, couchbase: { url: 'x' }, docs: 1, operationIdPrefix: 1, bodyLimit: 'x' }
  await t.rejects(async () => host.register(studentCourseApi, wrong as object), {
    code: 'SCA_SETUP',
    message: 'student-course-api: url must be a MongoDB URL; client must be a MongoClient; embedded must be the path of a folder; ' +
      'database must be the name of a database; timeoutMs must be a whole number of milliseconds above 0; students must be a StudentRepository; ' +
      'extend must be a Fastify plugin; users must be a UserStore; couchbase must be an object with url, username, password and bucket; docs must be true, false or an object with ui and inHost, each true or false, and theme, an object; ' +
      'operationIdPrefix must be text; bodyLimit must be a whole number of bytes above 0'
  })
})

t.test('an option that there is not is refused by its name, with the one that is meant', async (t) => {
  for (const [options, message] of [
    [{ Auth: { keys: ['x'.repeat(32)] } }, /Auth is not an option; did you mean auth\?/],
    [{ databse: 'x', Url: 'y' }, /databse is not an option; did you mean database\?; Url is not an option; did you mean url\?/],
    [{ somethingElse: undefined }, /somethingElse is not an option$/],
    [{ auth: { keys: ['x'.repeat(32)], isuer: 'x' } }, /auth\.isuer is not an option; did you mean auth\.issuer\?/],
    [{ couchbase: { url: 'x', username: 'x', password: 'x', bucket: 'x', timeout: 5 } }, /couchbase\.timeout is not an option/],
    [{ docs: { inhost: false } }, /docs\.inhost is not an option; did you mean docs\.inHost\?/],
    [{ docs: { ui: 'no' } }, /docs must be true, false or an object/],
    [{ docs: { inHost: 1 } }, /docs must be/],
    [{ docs: { theme: null } }, /docs must be/],
    [{ docs: { theme: 'dark' } }, /docs must be/],
    [{ docs: null }, /docs must be/],
    [{ toString: 1 }, /toString is not an option/]
  ] as const) {
    const host = await buildHost(t)
    await t.rejects(async () => host.register(studentCourseApi, { client, ...options } as object), { code: 'SCA_SETUP', message })
  }
  const host = await buildHost(t)
  await t.resolves(async () => { await host.register(studentCourseApi, { prefix, client, database: newDatabase(t), logLevel: 'warn', logSerializers: {} }) })
})
