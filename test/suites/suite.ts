import { readdir } from 'node:fs/promises'

const tests = new URL('../', import.meta.url)

/** The folders of `test/` whose files run in one process each suite: to start one takes longer than most of the files. */
export const suites = {
  access: ['access'],
  app: ['app'],
  embedded: ['embedded'],
  lib: ['chaos', 'cli', 'schemas', 'lib'],
  routes: ['plugins', 'query', 'routes', 'users']
} as const

/** Loads the test files of a suite, one after the other; what they register runs in that order. */
export async function load (suite: keyof typeof suites): Promise<void> {
  for (const folder of suites[suite]) for (const file of await filesBelow(folder)) await import(new URL(file, tests).href)
}

/** The test files below a folder of `test/`, by their paths from there. */
export async function filesBelow (folder: string): Promise<string[]> {
  const names = await readdir(new URL(folder, tests), { recursive: true })
  return names.filter((name) => name.endsWith('.test.js')).sort().map((name) => `${folder}/${name}`)
}
