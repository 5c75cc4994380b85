import t from 'tap'
import studentCourseApi from '../../app.js'
import { janeDoe } from '../samples.js'
import { client } from '../store.js'
import { buildHost, newDatabase, prefix } from './host.js'

t.test('Swagger UI under a prefix finds its files and its document there', async (t) => {
  const host = await buildHost(t)
  await host.register(studentCourseApi, { prefix, client, database: newDatabase(t) })
  const page = await host.inject(`${prefix}/docs`)
  const files = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => String(file))
  t.ok(files.length >= 4)
  for (const file of files) {
    const path = new URL(file, `http://x${prefix}/docs`).pathname
    t.ok(path.startsWith(`${prefix}/docs/`))
    t.equal((await host.inject(path)).statusCode, 200, path)
  }
  t.ok((await host.inject(`${prefix}/docs/json`)).json().paths[`${prefix}/students/`])
})

t.test('Location holds the prefix', async (t) => {
  const host = await buildHost(t)
  await host.register(studentCourseApi, { prefix, client, database: newDatabase(t) })
  const { headers } = await host.inject({ method: 'POST', url: `${prefix}/students`, payload: janeDoe })
  t.match(headers.location, /^\/college\/students\/[0-9a-f]{24}$/)
  t.equal((await host.inject(String(headers.location))).statusCode, 200)
})

t.test('Location is a path that leads back, whatever the prefix', async (t) => {
  for (const [prefix, path] of [['/学生', '/%E5%AD%A6%E7%94%9F'], ['/:tenant', '/a%20b']] as const) {
    const host = await buildHost(t)
    await host.register(studentCourseApi, { prefix, client, database: newDatabase(t) })
    // over a socket, since that alone refuses letters that a header can't hold
    const url = await host.listen()
    for (const students of [`${path}/students`, `${path}/students/`, `${path}/students/?`]) {
      const headers = { 'content-type': 'application/json' }
      const created = await fetch(url + students, { method: 'POST', headers, body: JSON.stringify(janeDoe) })
      t.equal(created.status, 201)
      t.match(created.headers.get('location'), new RegExp(`^${path}/students/[0-9a-f]{24}$`))
      t.equal((await fetch(url + created.headers.get('location'))).status, 200)
    }
  }
})

t.test('a prefix that is taken is refused at register', async (t) => {
  const host = await buildHost(t)
  const options = { prefix, client, database: newDatabase(t) }
  await host.register(studentCourseApi, options)
  await t.rejects(async () => host.register(studentCourseApi, options), { message: /^student-course-api: there is a \/college\/students\/ already/ })
})

t.test('one prefix with and without a slash at its end is one place', async (t) => {
  const host = await buildHost(t)
  await host.register(studentCourseApi, { prefix: '/college/', client, database: newDatabase(t), auth: { keys: ['x'.repeat(32)] } })
  const { components } = (await host.inject('/college/openapi.json')).json()
  t.equal(components.securitySchemes.access.flows.password.tokenUrl, '/college/token')
  const page = await host.inject('/college/docs/')
  t.equal(page.statusCode, 200)
  for (const [, path] of page.body.matchAll(/(?:src|href)="([^"]+)"/g)) {
    t.equal((await host.inject(new URL(String(path), 'http://x/college/docs/').pathname)).statusCode, 200, String(path))
  }
  for (const [first, second] of [['/college/', '/college'], ['/college', '/college/']] as const) {
    const crowded = await buildHost(t)
    await crowded.register(studentCourseApi, { prefix: first, client, database: newDatabase(t) })
    await t.rejects(async () => crowded.register(studentCourseApi, { prefix: second, client }), { code: 'SCA_SETUP', message: /there is a \/college\/students\/ already/ })
  }
})
