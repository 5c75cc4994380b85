import { once } from 'node:events'
import { rename } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { launch, listening } from '../launch.js'
import { Proxy } from '../proxy.js'
import { janeDoe } from '../samples.js'

interface Span {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  attributes: { key: string, value: Record<string, unknown> }[]
}

/** A collector of OpenTelemetry, with the spans that it got. */
async function collector (t: Test) {
  const spans: Span[] = []
  const server = createServer(async (request, response) => {
    const body = await json(request) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] } // as OTLP has it
    if (request.url === '/v1/traces') spans.push(...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)))
    response.setHeader('content-type', 'application/json').end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo // a TCP server's address is of that type
  return { url: `http://127.0.0.1:${port}`, spans }
}

const traceId = '0af7651916cd43dd8448eb211c80319c'
const traceparent = `00-${traceId}-b7ad6b7169203331-01`

t.test('a server that is watched in all ways', async (t) => {
  const { url: collectorUrl, spans } = await collector(t)
  const server = launch(t, {
    DATA_DIR: t.testdir(),
    METRICS_PORT: '0',
    SERVER_TIMING: 'on',
    OTEL_EXPORTER_OTLP_ENDPOINT: collectorUrl,
    OTEL_BSP_SCHEDULE_DELAY: '100',
    SHUTDOWN_DELAY_MS: '700'
  }, { counted: true })
  const url = await listening(server)
  const metricsUrl = (await server.prints(/metrics at (http:[^"]+)/))[1] ?? ''

  await t.test('each answer has the id of its request: the one that came with it, if that is well-formed', async (t) => {
    const own = await fetch(`${url}/students/`)
    t.match(own.headers.get('x-request-id'), /^[0-9a-f-]{36}-\d+$/)
    for (const id of ['a-1.b:c@d/e+f=', 'x'.repeat(128)]) t.equal((await fetch(`${url}/students/`, { headers: { 'x-request-id': id } })).headers.get('x-request-id'), id)
    for (const id of ['a b', 'x'.repeat(129), 'a,b', '"']) t.match((await fetch(`${url}/students/`, { headers: { 'x-request-id': id } })).headers.get('x-request-id'), /^[0-9a-f-]{36}-\d+$/)
    for (const path of ['/nope', '/students/%zz', '/students/x']) {
      const wrong = await fetch(url + path, { headers: { 'x-request-id': 'mine' } })
      t.equal(wrong.headers.get('x-request-id'), 'mine', path)
      t.match(await wrong.json(), { request_id: 'mine' }, path)
    }
    await server.prints(/"reqId":"mine"/)
  })

  await t.test('a request with its database operation is one trace, below the span that the client names, and the log has its id', async (t) => {
    const answer = await fetch(`${url}/students/`, {
      method: 'POST', headers: { traceparent, 'content-type': 'application/json' }, body: JSON.stringify(janeDoe)
    })
    t.equal(answer.status, 201)
    const find = (name: RegExp) => spans.find((span) => span.traceId === traceId && name.test(span.name))
    for (let tries = 0; tries < 50 && !(find(/^request|^POST/) && find(/mongodb insert/)); tries++) await sleep(100)
    const [request, insert] = [find(/^request|^POST/), find(/mongodb insert/)]
    t.equal(request?.parentSpanId, 'b7ad6b7169203331')
    const ids = spans.filter((span) => span.traceId === traceId).map(({ spanId }) => spanId)
    t.ok(ids.includes(insert?.parentSpanId ?? ''), 'below the request')
    t.match(insert?.attributes, [{ key: 'db.system.name', value: { stringValue: 'mongodb' } }, { key: 'db.operation.name', value: { stringValue: 'insert' } }])
    await server.prints(new RegExp(`"trace_id":"${traceId}"`))
  })

  await t.test('a request without a trace begins one, and its line says which', async (t) => {
    await fetch(`${url}/students/`, { headers: { 'x-request-id': 'untraced' } })
    const line = await server.prints(/"reqId":"untraced","trace_id":"([0-9a-f]{32})"/)
    for (let tries = 0; tries < 50 && !spans.some((span) => span.traceId === line[1]); tries++) await sleep(100)
    t.ok(spans.some((span) => span.traceId === line[1]))
  })

  await t.test('an answer says how long it took, and how long of that it waited for the database', async (t) => {
    for (const path of ['/students/', '/students/66b3f0a1c2d4e5f601234567', '/nope']) {
      const timing = (await fetch(url + path)).headers.get('server-timing') ?? ''
      const [, total = '', database = ''] = /^total;dur=(\d+\.\d\d), db;dur=(\d+\.\d\d)$/.exec(timing) ?? []
      t.ok(Number(total) >= Number(database), timing)
      t.equal(Number(database) > 0, path !== '/nope', timing)
    }
  })

  await t.test('the metrics tell requests, operations, connections and the store, on a port of their own', async (t) => {
    const answer = await fetch(`${metricsUrl}?x=1`)
    t.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
    const text = await answer.text()
    t.match(text, /http_server_request_duration_seconds_count\{http_route="\/students\/",http_request_method="POST",http_response_status_code="201"\} 1\n/)
    t.match(text, /http_server_request_duration_seconds_count\{http_route="",http_request_method="GET",http_response_status_code="404"\} \d+\n/)
    t.match(text, /db_client_operation_duration_seconds_count\{db_operation_name="insert",error_type=""\} 1\n/)
    t.match(text, /student_course_api_batch_requests_sum\{db_operation_name="insert"\} 1\n/)
    t.match(text, /student_course_api_batch_duration_seconds_bucket\{db_operation_name="find_by_id",le="\+Inf"\} [1-9]/)
    t.match(text, /db_client_connections\{db_client_connection_state="idle"\} [1-9]/)
    t.match(text, /\nstudent_course_api_store_up 1\n/)
    t.match(text, /\nstudent_course_api_store_size_bytes [1-9]\d{3}/)
    t.match(text, /\nstudent_course_api_log_lines_lost_total 0\n/)
    t.match(text, /\nnodejs_eventloop_delay_p99_seconds 0/)
    t.equal((await fetch(metricsUrl, { method: 'HEAD' })).status, 200)
    t.equal((await fetch(metricsUrl, { method: 'POST' })).status, 404)
    t.equal((await fetch(metricsUrl.replace('/metrics', '/students/'))).status, 404)
    t.equal((await fetch(`${url}/metrics`)).status, 404, 'not where the clients are')
  })

  await t.test('with the signal the server is not ready any more, and serves on for the time that is set', async (t) => {
    t.strictSame(await (await fetch(`${url}/readyz`)).json(), { status: 'pass' })
    server.child.kill('SIGTERM')
    await server.prints(/closing after SIGTERM/)
    const probe = await fetch(`${url}/readyz`)
    t.equal(probe.status, 503)
    t.strictSame(await probe.json(), { status: 'fail', output: 'The server is about to end.' })
    t.equal((await fetch(`${url}/livez`)).status, 200)
    await sleep(400)
    t.equal((await fetch(`${url}/students/`)).status, 200)
    t.strictSame(await server.exited, { code: 0, signal: null })
  })
})

t.test('with METRICS=on the metrics are beside the API, and probes leave no lines in the log', async (t) => {
  const folder = t.testdir()
  const server = launch(t, { DATA_DIR: folder, METRICS: 'on' }, { counted: true })
  const url = await listening(server)
  t.equal((await fetch(`${url}/readyz`)).status, 200)
  const answer = await fetch(`${url}/metrics`)
  t.equal(answer.headers.get('cache-control'), 'no-store')
  t.match(await answer.text(), /http_route="\/readyz"/)
  await fetch(`${url}/nope`)
  await server.prints(/"path":"\/nope"/)
  t.notMatch(server.output, /readyz|"path":"\/metrics"/)
  await rename(`${folder}/store.mdb`, `${folder}/moved.mdb`)
  t.match(await (await fetch(`${url}/metrics`)).text(), /\nstudent_course_api_store_size_bytes 0\n/)
  server.child.kill('SIGTERM')
  t.strictSame(await server.exited, { code: 0, signal: null })
})

t.test('tracing without its packages ends the start, and says what to install', async (t) => {
  const hooks = 'export async function resolve (name, context, next) { if (name === "@fastify/otel") throw new Error("gone"); return next(name, context) }'
  const without = `import { register } from 'node:module'; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)})`
  const server = launch(t, { DATA_DIR: t.testdir(), OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }, {
    counted: true, execArgv: ['--import', `data:text/javascript,${encodeURIComponent(without)}`]
  })
  t.match(await server.exited, { code: 1 })
  t.match(server.output, /OTEL_EXPORTER_OTLP_ENDPOINT needs packages that are not here: npm install @fastify\/otel/)
})

t.test('a port for the metrics that is taken ends the start', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const { port } = taken.address() as AddressInfo // as above
  const server = launch(t, { DATA_DIR: t.testdir(), METRICS_PORT: String(port) }, { counted: true })
  t.match(await server.exited, { code: 1 })
  t.match(server.output, /METRICS_PORT/)
})

t.test('a database that goes and comes back shows in readiness and metrics', async (t) => {
  const proxy = new Proxy()
  await proxy.start()
  t.teardown(() => proxy.stop())
  const server = launch(t, { MONGODB_URL: proxy.url, METRICS: 'on', SHED_DELAY_MS: '0', MONGODB_TIMEOUT_MS: '400', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }, { counted: true })
  const api = await listening(server)
  t.equal((await fetch(`${api}/readyz`)).status, 200)
  proxy.freeze()
  t.equal((await fetch(`${api}/students/`)).status, 503)
  proxy.thaw()
  const [, errorType] = /db_client_operation_duration_seconds_count\{db_operation_name="list",error_type="(\w+)"\} 1\n/.exec(await (await fetch(`${api}/metrics`)).text()) ?? []
  t.match(errorType, /^\w*(Timeout|Unavailable|Error)\w*$/)
  await proxy.stop()
  await server.prints(/database lost/)
  await sleep(300)
  t.equal((await fetch(`${api}/readyz`)).status, 503)
  t.equal((await fetch(`${api}/students/`)).status, 503)
  const text = await (await fetch(`${api}/metrics`)).text()
  t.match(text, /\nstudent_course_api_store_up 0\n/)
  t.notMatch(text, /store_size_bytes/, 'only of an embedded one')
  await proxy.start()
  await server.prints(/database back/)
  t.equal((await fetch(`${api}/readyz`)).status, 200)
  t.match(await (await fetch(`${api}/metrics`)).text(), /\nstudent_course_api_store_up 1\n/)
  server.child.kill('SIGTERM')
  t.strictSame(await server.exited, { code: 0, signal: null }, 'with no collector there')
})
