import { writeFile } from 'node:fs/promises'

/** For a server whose embedded store fails once `fail` is called: what its process is started with, and a folder of the test's has. */
export async function failingStore (folder: string): Promise<{ execArgv: string[], fail: () => Promise<void> }> {
  // the only way into the store's thread from outside
  await writeFile(`${folder}/failing.mjs`, `import { existsSync } from 'node:fs'
setInterval(() => { if (existsSync('${folder}/fail')) throw new Error('planted') }, 20)`)
  await writeFile(`${folder}/preload.mjs`, `import threads from 'node:worker_threads'; import { syncBuiltinESMExports } from 'node:module'
const { Worker } = threads
threads.Worker = class extends Worker {
  constructor (url, options) { super(url, { ...options, execArgv: ['--import', '${folder}/failing.mjs'] }) }
}
syncBuiltinESMExports()`)
  return { execArgv: ['--import', `${folder}/preload.mjs`], fail: async () => writeFile(`${folder}/fail`, '') }
}
