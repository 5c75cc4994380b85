import { readFile } from 'node:fs/promises'
import { root } from './root.js'

/** The first block of code below each heading of a part of docs/plugin.md. */
async function blocksOf (part: string): Promise<[heading: string, block: string][]> {
  const page = await readFile(`${root}docs/plugin.md`, 'utf8')
  const [, text = ''] = page.split(`\n## ${part}\n`)
  return text.split(/^## /m, 1).join().split('\n### ').slice(1).map((section) =>
    [section.slice(0, section.indexOf('\n')), /```\w+\n(.*?)```/s.exec(section)?.[1] ?? ''])
}

/**
 * The recipes of docs/plugin.md by their headings, each as a module: its imports, and a function around the rest, which gets what the page says that
 * there is.
 */
export async function recipeModules (): Promise<ReadonlyMap<string, string>> {
  return new Map((await blocksOf('Recipes')).map(([heading, block]) => {
    const end = block.indexOf('\n\n') // of the imports
    return [heading, `${block.slice(0, end)}\n\nexport default async ({ app, store, report }) => {${block.slice(end)}}\n`]
  }))
}

/** What docs/plugin.md says of other tools: code or a command, by their names. */
export async function toolBlocks (): Promise<ReadonlyMap<string, string>> {
  return new Map(await blocksOf('With other tools'))
}

/** The blocks of docs/adding-a-resource.md as one module of the same kind. */
export async function resourceModule (): Promise<string> {
  const page = await readFile(`${root}docs/adding-a-resource.md`, 'utf8')
  const blocks = Array.from(page.matchAll(/```js\n(.*?)```/gs), ([, block]) => String(block).replace('export const', 'const'))
  const lines = blocks.flatMap((block) => block.split('\n'))
  const isImport = (line: string) => line.startsWith('import ')
  // the page registers the plugin twice, as on two apps
  const [first = '', second = ''] = lines.filter((line) => !isImport(line)).join('\n').split(/(?<=^await app\.register.*\n)/m)
  const imports = ["import studentCourseApi from 'student-course-api'", ...lines.filter(isImport)]
  return `${imports.join('\n')}\n\nexport default async ({ apps: [app, other], store }) => {\n${first}${second.replace('await app.', 'await other.')}}\n`
}

/** Of which the packages are no dependencies of the project: the test of the package runs them. */
export const recipesOfPackage = ['Limit single routes']
