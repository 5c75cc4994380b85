// Runs in a folder where the package is installed, beside limits.mjs, the recipe of docs/plugin.md.
import compress from '@fastify/compress'
import Fastify from 'fastify'
import limit from './limits.mjs'

const app = Fastify()
await app.register(compress, { threshold: 0 })
await limit({ app, store: { embedded: 'limited' } })

const payload = { name: 'Jane Doe', email: 'jdoe@example.com', course: 'Nanophotonics', gpa: 3 }
const answers = []
for (let n = 0; n < 11; n++) answers.push(await app.inject({ method: 'POST', url: '/college/students/', payload }))
const { headers } = answers[10]
const list = await app.inject({ url: '/college/students/', headers: { 'accept-encoding': 'gzip' } })
await app.close()

console.log(JSON.stringify({
  created: answers.map(({ statusCode }) => statusCode),
  type: headers['content-type'],
  hasRetryAfter: Number(headers['retry-after']) > 0,
  listed: [list.statusCode, list.headers['content-encoding']]
}))
