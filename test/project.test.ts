import { access, readdir, readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { mistakes } from './mutants/mistakes.js'
import { root } from './root.js'
import { suites } from './suites/suite.js'
import * as app from '../app.js'
import { OPTION_NAMES } from '../lib/options/check-options.js'
import { version } from '../lib/http/version.js'

for (const path of ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...(await readdir(`${root}docs`)).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)]) {
  t.test(`every link of ${path} to a file of the project leads to one`, async (t) => {
    const file = new URL(path, pathToFileURL(root))
    const links = [...(await readFile(file, 'utf8')).matchAll(/\]\(([^)#]+)/g)].map(([, link]) => String(link))
    for (const link of links.filter((link) => !link.includes('://'))) await t.resolves(access(new URL(link, file)), link)
  })
}

t.test('docs/design.md says in one sentence what is in each folder', async (t) => {
  const page = await readFile(`${root}docs/design.md`, 'utf8')
  const listed = [...page.matchAll(/^\| `([\w/]+)\/` \| [^|]{10,} \|$/gm)].map(([, folder]) => String(folder))
  const foldersOf = async (path: string) => (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name)
  const top = (await foldersOf(root)).filter((name) => !/^(\..*|node_modules|dist|data|docs|lib)$/.test(name))
  const folders = [...top, ...(await foldersOf(`${root}lib`)).map((name) => `lib/${name}`)]
  t.strictSame(listed.sort(), folders.sort())
})

t.test('each planted mistake has its one place, and tests that see it', async (t) => {
  for (const { title, file, from, seenBy } of mistakes) {
    t.equal((await readFile(`${root}${file}`, 'utf8')).split(from).length, 2, title)
    for (const name of seenBy) await t.resolves(access(`${root}test/${name}.test.ts`), title)
  }
})

t.test('the version is the same everywhere, and the newest one of the changelog', async (t) => {
  t.equal(JSON.parse(await readFile(`${root}package.json`, 'utf8')).version, version)
  t.equal(JSON.parse(await readFile(`${root}package-lock.json`, 'utf8')).version, version)
  t.equal(/image: student-course-api:(.*)/.exec(await readFile(`${root}deploy/kubernetes.yaml`, 'utf8'))?.[1], version)
  t.equal(/^## (\S+) \(\d{4}-\d\d-\d\d\)$/m.exec(await readFile(`${root}CHANGELOG.md`, 'utf8'))?.[1], version)
})

t.test('docs/upgrading.md names all that is exported, and docs/plugin.md all options', async (t) => {
  const [, exported = ''] = /^The exports are ([^]*?)\.$/m.exec(await readFile(`${root}docs/upgrading.md`, 'utf8')) ?? []
  const names = Array.from(exported.matchAll(/`(\w+)`/g), ([, name]) => String(name))
  t.strictSame(names.concat('default').sort(), Object.keys(app).sort())
  const options = Array.from((await readFile(`${root}docs/plugin.md`, 'utf8')).matchAll(/^\| `(\w+)` \|/gm), ([, name]) => String(name))
  t.strictSame(options.sort(), [...OPTION_NAMES].sort())
})

t.test('docs/index.md leads to every page', async (t) => {
  const index = await readFile(`${root}docs/index.md`, 'utf8')
  const pages = (await readdir(`${root}docs`)).filter((name) => name.endsWith('.md') && name !== 'index.md')
  for (const page of pages) t.ok(index.includes(`](${page})`), page)
})

t.test('no source of the product looks for a file beside it that a bundle would not have', async (t) => {
  const files = (await readdir(root, { recursive: true })).filter((name) => /^(app|server|config|(lib|plugins|routes|schemas|server)\/.*)\.ts$/.test(name))
  t.ok(files.length > 50)
  for (const file of files) t.notMatch(await readFile(root + file, 'utf8'), /createRequire|import\.meta/, file)
})

t.test('each test file is run: in a suite by npm test, or by a script of its own', async (t) => {
  const inSuites: string[] = Object.values(suites).flat()
  const { scripts } = JSON.parse(await readFile(`${root}package.json`, 'utf8')) as { scripts: Record<string, string> } // as npm wants it
  const commands = Object.entries(scripts).filter(([name]) => name !== 'test').map(([, command]) => command).join('\n')
  const files = (await readdir(`${root}test`, { recursive: true })).filter((name) => /\.(test|fuzz|browser)\.ts$/.test(name))
  t.ok(files.length > 50)
  for (const file of files) {
    const folder = file.slice(0, file.lastIndexOf('/') + 1)
    const script = file.replace(/ts$/, 'js')
    const isRun = folder === 'suites/' || inSuites.some((path) => path === script || folder.startsWith(`${path}/`)) ||
      commands.includes(`dist/test/${script}`) || commands.includes(`dist/test/${folder}*`)
    t.ok(isRun, file)
  }
})
