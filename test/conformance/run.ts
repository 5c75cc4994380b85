// Compares the embedded store with another server of MongoDB's protocol: npm run conformance -- --cases 5000 --seed 1
import { parseArgs } from 'node:util'
import { compare } from './compare.js'
import { faults, plant } from './faults.js'

const options = {
  cases: { type: 'string', default: '5000' },
  seed: { type: 'string', default: String(Math.trunc(Math.random() * 1e9)) },
  faults: { type: 'boolean', default: false }
} as const

const { values } = parseArgs({ options })
const [cases, seed, url] = [Number(values.cases), Number(values.seed), process.env.MONGODB_URL]

if (url === undefined) {
  console.error('MONGODB_URL is not set: name the server to compare the embedded store with, one that may get and lose databases named test_conformance')
  process.exitCode = 2
} else if (values.faults) {
  await findFaults(url)
} else {
  console.log(`${cases} cases, seed ${seed}`)
  const { serve } = await import('../../embedded/server.js')
  const report = await compare({ cases, seed, url, serve })
  console.log(report.text(cases))
  if (!report.passes(cases)) process.exitCode = 1
}

/** Shows that the suite sees what it is there to see: each fault, planted in a copy of the store, has to make a difference. */
async function findFaults (url: string): Promise<void> {
  for (const fault of faults) {
    const { serve, remove } = await plant(fault)
    const report = await compare({ cases, seed, url, serve })
    await remove()
    const found = report.differences.length
    console.log(`${found > 0 ? 'found' : 'NOT FOUND'}: ${fault.title} (${found} differences, the first in: ${report.differences[0]?.kind ?? 'none'})`)
    if (found === 0) process.exitCode = 1
  }
}
