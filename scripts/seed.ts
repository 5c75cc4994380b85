// Fills the store with realistic students, each through the API's own validation: npm run seed -- 1000
import { parseArgs } from 'node:util'
import { Presets, SingleBar } from 'cli-progress'
import Fastify, { type FastifyInstance } from 'fastify'
import studentCourseApi from '../app.js'
import { type Config, databaseOptionsOf, loadConfig, readEnvFile } from '../config.js'
import { fakeStudent } from './fake-student.js'

/** Requests under way at once: enough for the store to write many of them to disk together. */
const CONCURRENCY = 64

try {
  const count = parseCount()
  readEnvFile(process.env)
  await seed(loadConfig(process.env), count)
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

async function seed (config: Config, count: number): Promise<void> {
  const app = Fastify()
  try {
    await app.register(studentCourseApi, { ...await databaseOptionsOf(config), docs: false })
    const started = performance.now()
    await createAll(app, count)
    console.log(`${count} students created in ${Math.round(performance.now() - started)} ms`)
  } finally {
    await app.close()
  }
}

async function createAll (app: FastifyInstance, count: number): Promise<void> {
  const bar = new SingleBar({ hideCursor: true }, Presets.shades_classic)
  bar.start(count, 0)
  let begun = 0
  const work = async () => {
    while (begun < count) {
      begun++
      await createOne(app)
      bar.increment()
    }
  }
  try {
    await Promise.all(Array.from({ length: CONCURRENCY }, work))
  } finally {
    bar.stop()
  }
}

async function createOne (app: FastifyInstance): Promise<void> {
  const answer = await app.inject({ method: 'POST', url: '/students/', payload: fakeStudent() })
  if (answer.statusCode !== 201) throw new Error(`A student was refused: ${answer.body}`)
}
