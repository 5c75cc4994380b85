import type { BenchRequest, Status } from '../cases.js'

export interface Load {
  url: string
  connections: number
  seconds: number
  requests: BenchRequest[]
  status: Status
}

export interface LoadResult {
  requests: number
  seconds: number
  p50Ms: number
  p99Ms: number
  /** Requests without an answer, or with one of another status. */
  failed: number
}
