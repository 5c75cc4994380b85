import { Presets, SingleBar } from 'cli-progress'
import Fastify, { type FastifyInstance } from 'fastify'
import studentCourseApi from '../app.js'
import { databaseOptionsOf, loadConfig, readEnvFile } from '../config.js'
import { fakeStudent } from './fake-student.js'

/** Requests under way at once: enough for the store to write many of them to disk together. */
const CONCURRENCY = 64

/** Creates so many students in the store of the configuration, and ends at the first that is refused. */
export async function seed (count: number): Promise<void> {
  readEnvFile(process.env)
  const config = loadConfig(process.env)
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
