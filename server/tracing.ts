import type { FastifyInstance } from 'fastify'
import { operationChannel, type OperationEvent } from '../lib/mongodb/channels.js'
import { SetupError } from '../lib/http/errors.js'
import { version } from '../lib/http/version.js'
import { traceIdOf } from '../lib/server/logger.js'

/** The packages that tracing needs, which come with nobody's installation unasked. */
const PACKAGES = '@fastify/otel @opentelemetry/api @opentelemetry/sdk-trace-node @opentelemetry/resources @opentelemetry/exporter-trace-otlp-http'

/** How long the last spans may take to leave. */
const EXPORT_LIMIT_MS = 2_000

/**
 * Spans of requests and of their database operations, exported over OTLP (HTTP) as OpenTelemetry's own variables say: `OTEL_EXPORTER_OTLP_ENDPOINT` and
 * `_HEADERS`, `OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER` and more. Throws SetupError without the packages.
 */
export async function trace (app: FastifyInstance): Promise<void> {
  const { otel, api, sdk, resources, exporter } = await load()
  const name = process.env.OTEL_SERVICE_NAME ?? 'student-course-api'
  const traceExporter = new exporter.OTLPTraceExporter({ timeoutMillis: EXPORT_LIMIT_MS })
  const provider = new sdk.NodeTracerProvider({
    resource: resources.resourceFromAttributes({ 'service.name': name, 'service.version': version }),
    spanProcessors: [new sdk.BatchSpanProcessor(traceExporter)]
  })
  provider.register()
  const instrumentation = new otel.FastifyOtelInstrumentation({
    instrumentHooks: false, ignorePaths: ({ url }) => /^\/(livez|readyz|metrics)$/.test(url)
  })
  instrumentation.setTracerProvider(provider)
  await app.register(instrumentation.plugin())
  app.addHook('onRequest', async (request, reply) => {
    const traceId = request.opentelemetry().span?.spanContext().traceId
    // a request without a traceparent begins a trace
    if (traceId !== undefined && traceIdOf(request.raw) === undefined) request.log = reply.log = request.log.child({ trace_id: traceId })
  })
  traceOperations(api, provider.getTracer('student-course-api', version))
  app.addHook('onClose', async () => provider.shutdown().catch(() => {})) // a collector that is gone holds up no end
}

/** Loaded only where tracing is asked for: they cost the start a tenth of a second. */
async function load () {
  try {
    const [otel, api, sdk, resources, exporter] = await Promise.all([
      import('@fastify/otel'), import('@opentelemetry/api'), import('@opentelemetry/sdk-trace-node'), import('@opentelemetry/resources'),
      import('@opentelemetry/exporter-trace-otlp-http')
    ])
    return { otel, api, sdk, resources, exporter }
  } catch {
    throw new SetupError(`OTEL_EXPORTER_OTLP_ENDPOINT needs packages that are not here: npm install ${PACKAGES}`)
  }
}

type Api = Pick<Awaited<ReturnType<typeof load>>['api'], 'SpanKind' | 'SpanStatusCode'>
type Tracer = ReturnType<typeof import('@opentelemetry/api').trace.getTracer>

/** A span for each operation, below that of the request which asked for it (OpenTelemetry's semantic conventions for databases). */
function traceOperations ({ SpanKind, SpanStatusCode }: Api, tracer: Tracer): void {
  const spans = new WeakMap<OperationEvent, ReturnType<Tracer['startSpan']>>()
  operationChannel.start.subscribe((event) => {
    const { operation } = event as OperationEvent
    spans.set(event as OperationEvent, tracer.startSpan(`mongodb ${operation}`, {
      kind: SpanKind.CLIENT, attributes: { 'db.system.name': 'mongodb', 'db.operation.name': operation }
    }))
  })
  operationChannel.asyncEnd.subscribe((event) => {
    const { error } = event as OperationEvent
    const span = spans.get(event as OperationEvent)
    if (error instanceof Error) span?.setAttribute('error.type', error.name).setStatus({ code: SpanStatusCode.ERROR })
    span?.end()
  })
}
