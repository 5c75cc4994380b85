import Fastify from 'fastify'
import type { Config } from '../config.js'
import { start, type Store } from '../embedded/index.js'
import { connect } from '../lib/mongodb/connect.js'
import { BSON_OPTIONS } from '../lib/mongodb/driver-options.js'
import { prepareIndexes } from '../lib/resources/indexes.js'
import type { StoredDocument } from '../lib/resources/mongo-records.js'
import { onHangup, onSignal } from '../lib/server/interrupt.js'
import { LogDestination } from '../lib/server/log-destination.js'
import { loggerOptions } from '../lib/server/logger.js'
import { toPrometheus } from '../lib/server/registry.js'
import { student } from '../schemas/student.js'
import { serveMetrics } from './metrics.js'
import { Workers } from './primary.js'

/** The signals that end the server; SIGHUP replaces its workers, but for one that a terminal sends as it closes. */
const ENDS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGUSR2'] as const

/** Leads a server of several processes: it has the embedded store and the metrics of all, and sees to it that they are there. Answers the exit status. */
export async function lead (config: Config): Promise<number> {
  const destination = new LogDestination(process.stdout.fd)
  const { log } = Fastify({ logger: loggerOptions({ level: config.LOG_LEVEL, isTerminal: process.stdout.isTTY, destination }) })
  const store = config.MONGODB_URL ? undefined : await startStore(config)
  const workers = new Workers({ config, log, storeUrl: store?.url })
  const end = onSignal((signal) => {
    log.info(`closing after ${signal}`)
    workers.end(signal)
  }, (signal) => {
    log.error(`second ${signal}, exiting`)
    workers.abort()
  }, 'npm_lifecycle_event' in process.env)
  for (const signal of ENDS) process.on(signal, end)
  process.on('SIGHUP', onHangup(process.stdout.isTTY, end, () => {
    log.info('replacing the workers after SIGHUP')
    workers.roll().then(() => log.info('the workers are replaced'))
  }))
  let status = 0
  store?.failed.then((err) => {
    log.fatal({ err }, 'the embedded store failed')
    status = 1
    workers.end('SIGTERM')
  })
  const metrics = config.METRICS_PORT === undefined ? undefined : await serveMetrics(config, log, async () => toPrometheus(await workers.metrics()))
  status = Math.max(await workers.run(), status)
  metrics?.close()
  await store?.close()
  await destination.flush()
  return status
}

/** The embedded store, with the indexes that lists need, which the workers find there. */
async function startStore ({ DATA_DIR, MONGODB_DATABASE, MONGODB_TIMEOUT_MS }: Config): Promise<Store> {
  const store = await start({ path: DATA_DIR })
  const client = await connect(store.url, { timeoutMs: MONGODB_TIMEOUT_MS })
  await prepareIndexes(client.db(MONGODB_DATABASE).collection<StoredDocument>(student.collection, BSON_OPTIONS), student, true)
  await client.close()
  return store
}
