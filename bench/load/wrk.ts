import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromRoot, run } from '../process.js'
import type { Load, LoadResult } from './load.js'

/** wrk in one thread: it takes a fraction of the processor time that a load in Node does. */
export async function wrk ({ url, connections, seconds, requests, status }: Load): Promise<LoadResult> {
  const file = join(tmpdir(), `requests-${process.pid}.txt`)
  await writeFile(file, requests.map(({ method, path, body = '' }) => `${method}\t${path}\t${body}\n`).join(''))
  try {
    const options = ['-t', 1, '-c', connections, '-d', `${seconds}s`, '--timeout', '10s', '-s', fromRoot('bench/load/wrk.lua')]
    const args = [...options, url, '--', file, status]
    const { stdout } = await run('wrk', args.map(String))
    const figures = /^figures (.*)$/m.exec(stdout)?.[1]
    if (!figures) throw new Error(`wrk told no figures: ${stdout}`)
    return JSON.parse(figures)
  } finally {
    await rm(file)
  }
}
