// Runs after the tests, whose coverage gate sees only what some test loads: fails for a source that none does.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What does not count, with the reason. */
const uncounted = [
  ['node_modules/', 'of others'],
  ['dist/', 'made from the sources'],
  ['data/', 'of whoever runs the server here'],
  ['test/', 'the tests themselves, and what they stand on'],
  ['bench/', 'a package of its own, with its own tests'],
  ['examples/', 'shown to readers as they are; test/examples.test.ts runs them as processes of their own'],
  ['scripts/', 'but those in TypeScript: build.js and this file run before and after the tests'],
  ['eslint.config.js', 'for the linter']
]

const counted = Object.keys(JSON.parse(readFileSync(join(root, '.tap/report/coverage-summary.json'), 'utf8')))
const sources = readdirSync(root, { recursive: true })
  .filter((path) => /(?<!\.d)\.(ts|js)$/.test(path) && !path.startsWith('.') && !isUncounted(path) && hasCode(path))
const missing = sources.filter((path) => !counted.includes(join(root, path)))
if (missing.length > 0) {
  console.error(`No test loads ${missing.join(', ')}: the coverage gate does not see it.`)
  process.exitCode = 1
}

function isUncounted (path) {
  return uncounted.some(([start]) => path.startsWith(start)) && !/^scripts\/.*\.ts$/.test(path)
}

/** A file of types alone leaves nothing to run. */
function hasCode (path) {
  const built = readFileSync(join(root, 'dist', path.replace(/ts$/, 'js')), 'utf8')
  return built.replace(/\/\/# sourceMappingURL=.*/, '').trim() !== 'export {};'
}
