// Runs tests that `npm test` has not, or in greater numbers: node test/run.js NAME. Scripts of package.json cannot say this
// alone, since a value by default is written in another way in each shell.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What each needs, what is set where the caller has not, and which files run. A seed of 0 stands for one of the moment. */
const RUNS = {
  mongodb: { needs: { MONGODB_URL: 'name the server to test on' }, files: ['suites/routes.test.js', 'suites/access.test.js', 'outage.test.js'] },
  serializer: { defaults: { FUZZ_DOCUMENTS: 200_000, FUZZ_SEED: 0 }, files: ['lib/serialization/serializer.test.js'] },
  changes: { defaults: { FUZZ_HISTORIES: 10_000 }, files: ['linear/changes.test.js'] },
  pages: {
    defaults: { FUZZ_WALKS: 100_000, FUZZ_FILTERS: 20_000, FUZZ_STEPS: 1_000, FUZZ_SEED: 0 },
    files: ['query/law.test.js', 'query/query-method.test.js', 'routes/students/conditions.test.js']
  },
  torture: { defaults: { KILL_ROUNDS: 50 }, files: ['embedded/kill.test.js'] },
  damage: { defaults: { DAMAGE_COPIES: 400, DAMAGE_SEED: 0 }, files: ['embedded/damage.test.js'] }
}

process.exitCode = run(RUNS[process.argv[2]], process.argv.slice(3))

function run (chosen, args) {
  if (chosen === undefined) return refuse(`usage: node test/run.js ${Object.keys(RUNS).join('|')}`)
  const { needs = {}, defaults = {}, files } = chosen
  const missing = Object.keys(needs).find((name) => !process.env[name])
  if (missing !== undefined) return refuse(`${missing} is not set: ${needs[missing]}`)
  const env = { ...process.env }
  for (const [name, value] of Object.entries(defaults)) env[name] ||= String(value || Math.trunc(Date.now() / 1_000))
  // what runs in greater numbers may take as long as it does
  const limit = chosen.defaults ? ['--timeout=0'] : []
  const command = [tap(), '--disable-coverage', ...limit, ...files.map((file) => `dist/test/${file}`), ...args]
  return spawnSync(process.execPath, command, { cwd: fileURLToPath(new URL('..', import.meta.url)), stdio: 'inherit', env }).status ?? 1
}

function refuse (message) {
  console.error(message)
  return 2
}

/** The program itself: what npm links is a script of a shell on Windows. */
function tap () {
  const require = createRequire(import.meta.url)
  return join(dirname(require.resolve('tap/package.json')), require('tap/package.json').bin.tap)
}
