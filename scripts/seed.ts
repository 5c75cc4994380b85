// Fills the store with realistic students, each through the API's own validation: npm run seed -- 1000
import { parseArgs } from 'node:util'

try {
  const count = parseCount()
  // only now: loading the API takes ten times as long as telling that the words are wrong
  const { seed } = await import('./seed-students.js')
  await seed(count)
} catch (error) {
  const { message, exitStatus = 1 } = error as Error & { exitStatus?: number } // nothing here throws anything else
  console.error(message)
  process.exitCode = exitStatus
}

function parseCount (): number {
  const { positionals: [text = '', ...rest] } = parseArgs({ allowPositionals: true })
  const count = Number(text)
  if (rest.length > 0 || !Number.isSafeInteger(count) || count < 1) {
    throw new Error('Say how many students to create: npm run seed -- 1000')
  }
  return count
}
