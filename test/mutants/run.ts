// Plants one mistake after the other in a copy of what is built, and runs the tests that must see it: npm run mutate. Fails where one
// survives, or where one of these tests is red without any. `--share 4 --seed N` takes a quarter of them by a seed, `--only TEXT`
// those whose title has the text; with a share the tests are not run without a mistake, since npm test runs them so.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import ts from 'typescript'
import { root } from '../root.js'
import { mistakes, type Mistake } from './mistakes.js'

/** Mistakes in work at once. */
const JOBS = 2

/** Longer than any of the tests takes: one that hangs has seen the mistake, but should say so itself. */
const LIMIT_MS = 90_000

/** tap's own limit for a file, in seconds: by default it ends some that only take their time, and that would count as seen. */
const TAP_TIMEOUT = '60'

const { values: { share, seed = String(Date.now() % 1e6), only = '' } } = parseArgs({
  options: { share: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } }
})

const chosen = choose(mistakes.filter(({ title }) => title.includes(only)), Number(share ?? 1), Number(seed))
console.log(`${chosen.length} of ${mistakes.length} mistakes${share === undefined ? '' : `, seed ${seed}`}`)
const red = share === undefined ? await redTests() : []
if (red.length > 0) throw new Error(`red without any mistake: ${red.join(', ')}`)
const outcomes: { mistake: Mistake, outcome: string }[] = []
const queue = [...chosen]
await Promise.all(Array.from({ length: JOBS }, async (_, job) => {
  for (let mistake = queue.shift(); mistake; mistake = queue.shift()) {
    const outcome = await plant(mistake, job)
    outcomes.push({ mistake, outcome })
    console.log(`${outcome}: ${mistake.file}: ${mistake.title}`)
  }
}))
const survivors = outcomes.filter(({ outcome }) => outcome !== 'seen')
console.log(`${outcomes.length - survivors.length} seen, ${survivors.length} not`)
process.exitCode = survivors.length > 0 || outcomes.length === 0 ? 1 : 0

/** A share of the mistakes in an order that the seed alone decides. */
function choose (all: Mistake[], share: number, seed: number): Mistake[] {
  let state = seed
  // the generator of Numerical Recipes: good enough to choose by
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0)
  const shuffled = share === 1 ? all : all.map((mistake) => ({ mistake, key: random() })).sort((a, b) => a.key - b.key).map(({ mistake }) => mistake)
  return shuffled.slice(0, Math.ceil(all.length / share))
}

async function plant ({ file, from, to, seenBy }: Mistake, job: number): Promise<string> {
  const source = await readFile(join(root, file), 'utf8')
  if (source.split(from).length !== 2) return `does not apply (${source.split(from).length - 1} places)`
  // beside dist/, where tests and packages are found as from there
  const copy = join(root, `.mutant-${job}`)
  await rm(copy, { recursive: true, force: true })
  await cp(join(root, 'dist'), copy, { recursive: true })
  try {
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 }
    const { outputText } = ts.transpileModule(source.replace(from, () => to), { compilerOptions })
    await writeFile(join(copy, file.replace(/ts$/, 'js')), outputText)
    return await isSeen(copy, seenBy)
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}

/** Those of the named tests that fail as it is: what they would say of a mistake says nothing. */
async function redTests (): Promise<string[]> {
  const red: string[] = []
  for (const test of new Set(chosen.flatMap(({ seenBy }) => seenBy))) if (await exitOf(join(root, 'dist'), test) !== 0) red.push(test)
  return red
}

async function isSeen (copy: string, tests: string[]): Promise<string> {
  for (const test of tests) {
    const code = await exitOf(copy, test)
    if (code === null) return 'hangs'
    if (code !== 0) return 'seen'
  }
  return 'SURVIVED'
}

/** The exit status of a test; null where it took too long, and was ended with all that it had started. */
async function exitOf (folder: string, test: string): Promise<number | null> {
  const path = join(folder, 'test', `${test}.test.js`)
  // detached, so that it leads a process group of its own
  const child = spawn(process.execPath, [path], { cwd: root, stdio: 'ignore', detached: true, env: { ...process.env, TAP_BAIL: '1', TAP_TIMEOUT } })
  const timer = setTimeout(() => process.kill(-Number(child.pid), 'SIGKILL'), LIMIT_MS)
  const [code] = await once(child, 'exit')
  clearTimeout(timer)
  return code
}
