import autocannon from 'autocannon'
import type { BenchRequest } from '../cases.js'
import type { Load, LoadResult } from './load.js'

const json = { 'content-type': 'application/json' }

/** autocannon, where there is no wrk. It runs in this process and takes more processor time than many a server. */
export async function cannon ({ url, connections, seconds, requests, status }: Load): Promise<LoadResult> {
  let sent = 0
  // one count for all connections: autocannon itself would have each begin at the first request
  const setupRequest = (request: autocannon.Request) => ({ ...request, ...toRequest(requests[sent++ % requests.length]) })
  const result = await autocannon({ url, connections, duration: seconds, requests: [{ setupRequest }] })
  const expected = status === 'success' ? result['2xx'] : result.statusCodeStats?.[`${status}`]?.count ?? 0
  return {
    requests: result.requests.total,
    seconds: result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failed: result.errors + result.requests.total - expected
  }
}

function toRequest (request?: BenchRequest): autocannon.Request {
  return { ...request, ...request?.body !== undefined && { headers: json } }
}
