import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { baseOf } from '../lib/http/base-path.js'
import { negotiate } from '../lib/http/negotiate.js'
import { version } from '../lib/http/version.js'
import { icon } from '../lib/pages/icon.js'
import methods from '../plugins/allowed-methods.js'
import { sendError } from '../plugins/errors.js'
import type { Health } from './health.js'

const TITLE = 'Student Course API'
const TEXT = 'Student course records and user profiles over MongoDB.'

const STYLE = `
:root { color-scheme: light dark; --ink: #1b2430; --soft: #4b5968; --ground: #f5f7fa; --card: #fff; --line: #d5dce4; --link: #1d4f91; --on-link: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaef; --soft: #a9b4c0; --ground: #14181d; --card: #1d2329; --line: #39434e; --link: #8ab8f5; --on-link: #10151b } }
* { box-sizing: border-box }
body { margin: 0; padding: 8vh 1rem 2rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
main { max-width: 34rem; margin: auto; padding: 1.5rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; overflow-wrap: anywhere }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.2 }
a { color: var(--link) }
.first { display: inline-block; padding: .6rem 1.1rem; border-radius: .5rem; background: var(--link); color: var(--on-link); font-weight: 600; text-decoration: none }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .4rem 1rem; margin: 1.25rem 0 0 }
dt { color: var(--soft) }
dd { margin: 0 }`

/** Nothing is loaded but the icon, and no style counts but the one above. */
const CSP = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

export interface HomeOptions {
  /** What kind of store there is, without where. */
  store: 'MongoDB' | 'embedded'
  hasDocs: boolean
  /** The path of the records. */
  students: string
  /** Whether the store answers. */
  state: () => Promise<Health>
}

/** `GET /`: what this is, where to go on, and whether the store answers, as a page or as JSON. */
export async function home (app: FastifyInstance, { store, hasDocs, students, state }: HomeOptions): Promise<void> {
  await app.register(methods)
  app.setErrorHandler(sendError)
  app.get('/', { schema: { hide: true }, exposeHeadRoute: true }, async ({ headers, url }, reply) => {
    const base = baseOf(url, '/')
    const { status, output = 'up' } = await state()
    const links = {
      ...hasDocs && { docs: `${base}/docs`, openapi: `${base}/openapi.json` },
      students: `${base}${students}`,
      livez: `${base}/livez`,
      readyz: `${base}/readyz`
    }
    reply.headers({ 'cache-control': 'no-store', vary: 'accept', 'x-content-type-options': 'nosniff', 'content-security-policy': CSP })
    if (negotiate(headers, ['text/html', 'application/json']) === 'application/json') {
      return { name: TITLE, description: TEXT, version, store: { type: store, status, output }, links }
    }
    return reply.type('text/html; charset=utf-8').send(pageOf(links, `${store}: ${output}`))
  })
  app.closePaths()
}

/** What stands in it comes from here and from a base path, which has no character that HTML knows. */
function pageOf ({ docs, ...links }: Record<string, string>, store: string): string {
  const rows = Object.entries(links).map(([name, path]) => `<dt>${name}</dt><dd><a href="${path}">${path}</a></dd>`)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${TITLE}</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(icon)}">
<style>${STYLE}</style>
<main>
<h1>${TITLE}</h1>
<p>${TEXT} Version ${version}.</p>
${docs === undefined ? '' : `<p><a class="first" href="${docs}">Read the docs and try it out</a></p>\n`}<dl>
${rows.join('\n')}
<dt>store</dt><dd>${store}</dd>
</dl>
</main>
</html>
`
}
