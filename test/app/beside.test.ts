import { gunzipSync } from 'node:zlib'
import cors from '@fastify/cors'
import jwt from '@fastify/jwt'
import { FastifyOtelInstrumentation } from '@fastify/otel'
import swagger from '@fastify/swagger'
import underPressure from '@fastify/under-pressure'
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import studentCourseApi from '../../app.js'
import { toPrometheus } from '../../lib/server/registry.js'
import { compressLists } from '../../server/compression.js'
import { Metrics } from '../../server/metrics.js'
import { limitRates } from '../../server/rate-limits.js'
import { janeDoe } from '../samples.js'
import { buildHost, newDatabase, prefix } from './host.js'
import { client } from '../store.js'

t.test('the plugin stands in a host beside all the plugins that a server has, and each does its work on the plugin\'s routes', async (t) => {
  const host = await buildHost(t)
  const spans = new InMemorySpanExporter()
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
  const otel = new FastifyOtelInstrumentation({ instrumentHooks: false })
  otel.setTracerProvider(provider)
  const metrics = new Metrics()
  await host.register(otel.plugin())
  await host.register(cors, { origin: 'https://a.example', exposedHeaders: ['ETag'] })
  await host.register(underPressure, { maxEventLoopDelay: 60_000, exposeStatusRoute: true })
  await host.register(jwt, { secret: 'x'.repeat(32) })
  await host.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'Host', version: '1' } } })
  limitRates(host, { quota: 100, windowS: 60 })
  compressLists(host)
  host.addHook('onResponse', async (request, reply) => metrics.answered(request, reply))
  const authenticate = async (request: FastifyRequest) => request.jwtVerify<{ username: string, scopes: string[] }>()
  await host.register(studentCourseApi, { prefix, client, database: newDatabase(t), auth: { authenticate } })
  await host.ready()

  const token = host.jwt.sign({ username: 'alice', scopes: ['students:read', 'students:write'] })
  const headers = { origin: 'https://a.example', authorization: `Bearer ${token}`, 'accept-encoding': 'gzip' }
  const path = `${prefix}/students/`
  const data = { ...janeDoe, course: 'x'.repeat(500) }
  for (const gpa of [1, 2, 3]) t.equal((await host.inject({ method: 'POST', url: path, headers, payload: { ...data, gpa } })).statusCode, 201)

  const list = await host.inject({ url: path, headers })
  t.equal(list.headers['content-encoding'], 'gzip')
  t.equal(JSON.parse(String(gunzipSync(list.rawPayload))).students.length, 3)
  t.match(list.headers, { 'access-control-allow-origin': 'https://a.example', 'access-control-expose-headers': 'ETag', ratelimit: /r=96/, etag: /^W\// })
  const preflight = { origin: headers.origin, 'access-control-request-method': 'PUT' }
  t.match((await host.inject({ method: 'OPTIONS', url: path, headers: preflight })).headers, { 'access-control-allow-methods': /PUT|POST/ })
  t.equal((await host.inject({ url: '/status' })).statusCode, 200)
  t.equal((await host.inject({ url: path, headers: { authorization: 'Bearer x' } })).statusCode, 401)

  t.ok(host.swagger().paths?.[path])
  t.match(toPrometheus(metrics.registry.read()), /http_route="\/college\/students\/",http_request_method="POST",http_response_status_code="201",le="10"} 3/)
  await provider.forceFlush()
  t.ok(spans.getFinishedSpans().some(({ attributes }) => attributes['http.route'] === path && attributes['http.response.status_code'] === 200))
})
