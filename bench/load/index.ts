import { isInstalled } from '../process.js'
import { cannon } from './autocannon.js'
import type { Load, LoadResult } from './load.js'
import { wrk } from './wrk.js'

export interface LoadTool {
  name: string
  run (load: Load): Promise<LoadResult>
}

export async function chooseTool (): Promise<LoadTool> {
  return await isInstalled('wrk') ? { name: 'wrk', run: wrk } : { name: 'autocannon', run: cannon }
}
