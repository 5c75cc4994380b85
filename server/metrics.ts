import { createServer, type Server } from 'node:http'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { AddressInfo } from 'node:net'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ConnectionPoolMonitoringEvent, MongoClient } from 'mongodb'
import type { Config } from '../config.js'
import { version } from '../lib/http/version.js'
import { batchChannel, operationChannel, type BatchEvent, type OperationEvent } from '../lib/mongodb/channels.js'
import type { StoreGuard } from '../lib/mongodb/store-guard.js'
import { listen } from '../lib/mongodb/listen.js'
import { listenError } from '../lib/server/listen-error.js'
import type { LogDestination } from '../lib/server/log-destination.js'
import { PROMETHEUS_TEXT, Registry, toPrometheus } from '../lib/server/registry.js'
import type { Store } from './store.js'
import type { PrimaryLine } from './worker.js'

/** The buckets that OpenTelemetry advises for durations, in seconds, and two below them: most answers here take less than its first. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** How many requests shared a round trip. */
const ITEMS = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/** How often Node looks how late the event loop is; what it measures includes that time. */
const RESOLUTION_MS = 20

/** The file of the embedded store in its folder. */
const EMBEDDED_FILE = 'store.mdb'

/** Where no route was found: one label for all paths that clients may think of. */
const NO_ROUTE = ''

/** What the server counts of itself, by OpenTelemetry's names. Each method subscribes to one part; none is called without `METRICS`. */
export class Metrics {
  readonly registry = new Registry()
  #answered: (request: FastifyRequest, reply: FastifyReply) => void

  constructor () {
    this.#answered = countAnswers(this.registry)
    countOperations(this.registry)
    watchProcess(this.registry)
    this.registry.gauge({ name: 'student_course_api_info', help: 'The version that runs here.', labels: ['version'], combine: 'max' })(1, [version])
  }

  /** A request was answered. */
  answered (request: FastifyRequest, reply: FastifyReply): void {
    this.#answered(request, reply)
  }

  /** Counts the connections of a client. */
  watchClient (client: MongoClient): void {
    const set = this.registry.gauge({
      name: 'db_client_connections', help: 'Connections to the database, by their state.', labels: ['db_client_connection_state']
    })
    const waiting = this.registry.gauge({ name: 'db_client_connection_pending_requests', help: 'Operations that wait for a connection.' })
    const known = new Set<string>()
    const used = new Set<string>()
    let pending = 0
    const endWait = () => { pending-- }
    const nameOf = ({ address, connectionId }: ConnectionPoolMonitoringEvent & { connectionId: unknown }) => `${address} ${connectionId}`
    listen(client, {
      connectionCreated: (event) => known.add(nameOf(event)),
      connectionClosed: (event) => {
        known.delete(nameOf(event))
        used.delete(nameOf(event))
      },
      connectionCheckOutStarted: () => { pending++ },
      connectionCheckOutFailed: endWait,
      connectionCheckedOut: (event) => {
        endWait()
        known.add(nameOf(event)) // some were made before they were watched
        used.add(nameOf(event))
      },
      connectionCheckedIn: (event) => used.delete(nameOf(event))
    })
    this.registry.collect(() => {
      set(used.size, ['used'])
      set(known.size - used.size, ['idle'])
      waiting(pending)
    })
  }

  /** Whether the database is there, and the size of the file of an embedded one. */
  watchStore (guard: StoreGuard, file: string | undefined): void {
    const setUp = this.registry.gauge({ name: 'student_course_api_store_up', help: '1, or 0 while the database is known to be away.', combine: 'max' })
    this.registry.collect(() => setUp(guard.isDown ? 0 : 1))
    if (file === undefined) return
    const setSize = this.registry.gauge({ name: 'student_course_api_store_size_bytes', help: 'The size of the file of the embedded store.', combine: 'max' })
    this.registry.collect(() => setSize(statSync(file, { throwIfNoEntry: false })?.size ?? 0))
  }

  /** The lines of the log that nobody could take. */
  watchLog (lost: () => number): void {
    const set = this.registry.total({ name: 'student_course_api_log_lines_lost_total', help: 'Log lines that were lost, since nobody took them.' })
    this.registry.collect(() => set(lost()))
  }
}

/** By route, method and status: of the methods and routes that there are, so there is an end of them. */
function countAnswers (registry: Registry): Metrics['answered'] {
  const histogram = registry.histogram({
    name: 'http_server_request_duration_seconds',
    help: 'How long requests took, from their first byte to the end of the answer.',
    labels: ['http_route', 'http_request_method', 'http_response_status_code'],
    bounds: SECONDS
  })
  const counting = new Map<string, (value: number) => void>()
  return ({ method, routeOptions: { url = NO_ROUTE } }, { statusCode, elapsedTime }) => {
    const key = `${statusCode} ${method} ${url}`
    const known = counting.get(key)
    const count = known ?? histogram([url, method, String(statusCode)])
    if (!known) counting.set(key, count)
    count(elapsedTime / 1_000)
  }
}

function countOperations (registry: Registry): void {
  const durations = registry.histogram({
    name: 'db_client_operation_duration_seconds',
    help: 'How long requests waited for the database, by the kind of operation; error_type is empty where it answered.',
    labels: ['db_operation_name', 'error_type'],
    bounds: SECONDS
  })
  const trips = registry.histogram({
    name: 'student_course_api_batch_duration_seconds', help: 'How long round trips to the database took.', labels: ['db_operation_name'], bounds: SECONDS
  })
  const sizes = registry.histogram({
    name: 'student_course_api_batch_requests', help: 'How many requests shared a round trip to the database.', labels: ['db_operation_name'], bounds: ITEMS
  })
  const begun = new WeakMap<OperationEvent, number>()
  operationChannel.start.subscribe((event) => { begun.set(event as OperationEvent, performance.now()) })
  operationChannel.asyncEnd.subscribe((event) => {
    const { operation, error } = event as OperationEvent
    const errorType = error instanceof Error ? error.name : ''
    const begunMs = begun.get(event as OperationEvent) as number // as each starts before it ends
    durations([operation, errorType])((performance.now() - begunMs) / 1_000)
  })
  batchChannel.subscribe((event) => {
    const { operation, items, durationMs } = event as BatchEvent
    trips([operation])(durationMs / 1_000)
    sizes([operation])(items)
  })
}

function watchProcess (registry: Registry): void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  const setDelays = (['p50', 'p99', 'max'] as const).map((name) => registry.gauge({
    name: `nodejs_eventloop_delay_${name}_seconds`, help: `How late the event loop was since the last scrape, ${name}.`, combine: 'max'
  }))
  const setUse = registry.gauge({ name: 'nodejs_eventloop_utilization_ratio', help: 'The share of time in which the event loop was busy.', combine: 'max' })
  const setCpu = registry.total({ name: 'process_cpu_time_seconds_total', help: 'Processor time.', labels: ['cpu_mode'] })
  const setMemory = registry.gauge({ name: 'process_memory_usage_bytes', help: 'Resident memory.' })
  const setHeap = registry.gauge({ name: 'v8js_memory_heap_used_bytes', help: "Memory in use in JavaScript's heap." })
  let last = performance.eventLoopUtilization()
  registry.collect(() => {
    const now = performance.eventLoopUtilization()
    setUse(performance.eventLoopUtilization(now, last).utilization)
    last = now
    for (const [index, value] of [delay.percentile(50), delay.percentile(99), delay.max].entries()) setDelays[index]?.(Math.max(0, value / 1e9 - RESOLUTION_MS / 1e3))
    delay.reset()
    const { user, system } = process.cpuUsage()
    setCpu(user / 1e6, ['user'])
    setCpu(system / 1e6, ['system'])
    const { rss, heapUsed } = process.memoryUsage()
    setMemory(rss)
    setHeap(heapUsed)
  })
}

interface Watched {
  app: FastifyInstance
  store: Store
  config: Config
  log: LogDestination
  /** Where this process is one of several. */
  primary: PrimaryLine | undefined
}

/** Watches what the server has, and serves the metrics: at `/metrics`, or on a port of their own, which the clients' network need not reach. */
export async function expose (metrics: Metrics, { app, store, config, log, primary }: Watched): Promise<void> {
  metrics.watchClient(store.client)
  metrics.watchStore(store.guard, config.MONGODB_URL ? undefined : join(config.DATA_DIR, EMBEDDED_FILE))
  metrics.watchLog(() => log.lost)
  if (primary) {
    primary.answerMetrics(metrics.registry)
    // what was counted since it was last asked for must not go with this process
    app.addHook('onClose', async () => primary.tell({ type: 'metrics', families: metrics.registry.read() }))
  }
  const read = async () => toPrometheus(primary ? await primary.metricsOfAll() : metrics.registry.read())
  if (config.METRICS_PORT === undefined) {
    const options = { config: { isForOperators: true }, logLevel: 'warn', schema: { hide: true } } as const
    app.get('/metrics', options, async (_request, reply) => reply.header('cache-control', 'no-store').type(PROMETHEUS_TEXT).send(await read()))
  } else if (!primary) {
    const server = await serveMetrics(config, app.log, read)
    app.addHook('onClose', async () => { server.close() })
  }
}

/** Serves the metrics on a port of their own. */
export async function serveMetrics ({ HOST: host, METRICS_PORT: port = 0 }: Config, log: FastifyBaseLogger, read: () => Promise<string>): Promise<Server> {
  const server = createServer(async ({ method, url }, response) => {
    const isFound = url?.split('?')[0] === '/metrics' && (method === 'GET' || method === 'HEAD')
    response.writeHead(isFound ? 200 : 404, { 'content-type': isFound ? PROMETHEUS_TEXT : 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
    response.end(isFound ? await read() : 'The metrics are at /metrics.\n')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, { host, port, variable: 'METRICS_PORT' }))).listen(port, host, resolve)
  })
  log.info(`metrics at http://${host}:${(server.address() as AddressInfo).port}/metrics`) // a TCP server's address is of that type
  return server
}
