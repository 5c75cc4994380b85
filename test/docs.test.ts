import { access, readFile } from 'node:fs/promises'
import t from 'tap'

for (const path of ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'docs/design.md', 'docs/figures.md', 'docs/embedded.md', 'docs/access.md', 'docs/benchmarks.md']) {
  t.test(`every link of ${path} to a file of the project leads to one`, async (t) => {
    const file = new URL(`../${path}`, import.meta.url)
    const links = [...(await readFile(file, 'utf8')).matchAll(/\]\(([^)#]+)/g)].map(([, link]) => String(link))
    for (const link of links.filter((link) => !link.includes('://'))) await t.resolves(access(new URL(link, file)), link)
  })
}
