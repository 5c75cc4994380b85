import t, { type Test } from 'tap'
import { fakeMongodb, hello } from './fake-mongodb.js'
import { coverage, launch, listening, Process } from './launch.js'
import { built } from './root.js'

function seed (t: Test, env: NodeJS.ProcessEnv, ...words: string[]) {
  return new Process(t, process.execPath, [`${built}scripts/seed.js`, ...words], { env: { ...process.env, MONGODB_URL: '', ...coverage, ...env } })
}

t.test('the seeding fills the store of the configuration with students of its own', async (t) => {
  const env = { DATA_DIR: t.testdir() }
  const seeding = seed(t, env, '20')
  t.match(await seeding.exited, { code: 0 })
  t.match(seeding.output, /^20 students created in \d+ ms$/m)
  const { students } = await (await fetch(`${await listening(launch(t, env))}/students/`)).json() as { students: { name: string, gpa: number }[] } // as the API has it
  t.equal(students.length, 20)
  t.ok(new Set(students.map(({ name }) => name)).size > 15, 'of many names')
})

t.test('the seeding wants a number, and ends at the first student that is refused', async (t) => {
  for (const words of [[], ['none'], ['0'], ['1.5'], ['1', '2']]) {
    const seeding = seed(t, { DATA_DIR: t.testdir() }, ...words)
    t.match(await seeding.exited, { code: 1 }, words.join(' '))
    t.equal(seeding.output, 'Say how many students to create: npm run seed -- 1000\n')
  }
  const refused = { ok: 1, n: 0, writeErrors: [{ index: 0, code: 11000, errmsg: 'no', keyPattern: { email: 1 } }] }
  const server = await fakeMongodb(t, (command) => command.insert ? { ...refused, writeErrors: command.documents.map((_: unknown, index: number) => ({ ...refused.writeErrors[0], index })) } : hello)
  const seeding = seed(t, { MONGODB_URL: `mongodb://${server}` }, '3')
  t.match(await seeding.exited, { code: 1 })
  t.match(seeding.output, /A student was refused: .*"status":409/)
})
