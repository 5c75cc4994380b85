import { isInstalled } from '../process.js'
import type { BenchRequest, Status } from '../cases.js'
import { cannon } from './autocannon.js'
import { wrk } from './wrk.js'

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

export interface LoadTool {
  name: string
  run (load: Load): Promise<LoadResult>
}

export async function chooseTool (): Promise<LoadTool> {
  return await isInstalled('wrk') ? { name: 'wrk', run: wrk } : { name: 'autocannon', run: cannon }
}
