import { readdir } from 'node:fs/promises'

const tests = new URL('../', import.meta.url)

/**
 * The test files, by folder or by name, that run in one process each suite: to start one, with the API and what measures its coverage,
 * takes longer than most of the files. Suites run at the same time, so each has some that work and some that wait.
 */
export const suites = {
  access: ['access', 'app'],
  embedded: ['embedded'],
  lib: ['chaos', 'kills', 'cli', 'schemas', 'lib', 'build-script.test.js', 'config.test.js', 'project.test.js'],
  operators: ['server'],
  workers: ['server/tls.test.js', 'server/workers.test.js'],
  outages: ['outage.test.js', 'hung.test.js'],
  processes: ['operations.test.js', 'shutdown.test.js', 'npm-start.test.js', 'scripts.test.js'],
  routes: ['linear', 'plugins', 'query', 'routes', 'users'],
  server: ['server.test.js', 'cli.test.js', 'seed.test.js', 'examples.test.js']
} as const

/** Loads the test files of a suite, one after the other; what they register runs in that order. */
export async function load (suite: keyof typeof suites): Promise<void> {
  for (const path of suites[suite]) for (const file of await filesOf(path)) await import(new URL(file, tests).href)
}

/** A test file, or those below a folder that no suite names by themselves, by their paths from `test/`. */
async function filesOf (path: string): Promise<string[]> {
  return path.endsWith('.js') ? [path] : filesBelow(path)
}

async function filesBelow (folder: string): Promise<string[]> {
  const names = await readdir(new URL(folder, tests), { recursive: true })
  const paths = names.filter((name) => name.endsWith('.test.js')).sort().map((name) => `${folder}/${name}`)
  const named: string[] = Object.values(suites).flat()
  return paths.filter((path) => !named.includes(path))
}
