// The docs page in a browser: npm run test:browser
// With SCREENSHOT=docs/swagger-ui.png it also renews the README's picture of the page.
import { randomBytes } from 'node:crypto'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { startServer } from '../child.js'
import { runCli } from '../launch.js'
import { execute, open } from './operation.js'
import { openPage } from './page.js'

t.setTimeout(120_000)

const { SCREENSHOT: screenshot } = process.env

t.test('a student is created and deleted from the docs page of the server', async (t) => {
  // the picture shows the port that the README tells of
  const { url } = await startServer(t, 'dist/server.js', { port: screenshot ? 8_000 : 0 })
  await useDocs(t, url, '')
})

t.test('a student is created and deleted from the docs page of the API in a larger app', async (t) => {
  const { url } = await startServer(t, 'examples/larger-app.js')
  await useDocs(t, url, '/college')
})

t.test('with access control, a user logs in on the page and creates a student', async (t) => {
  const { url: origin, folder } = await startServer(t, 'dist/server.js', { AUTH: 'on', JWT_SECRET: randomBytes(32).toString('base64') })
  await runCli({ DATA_DIR: folder }, 'users add alice --scope students:read --scope students:write', 'correct horse\n')
  const { page, requests, errors } = await openPage(t, `${origin}/docs`)
  const post = await open(page, 'post', '/students/')
  t.equal((await execute(post)).status, '401', 'nobody is logged in')
  t.match(errors.splice(0), [/401/], 'which the browser tells')

  await page.locator('.auth-wrapper .authorize').click()
  const dialog = page.locator('.modal-ux')
  await dialog.locator('#oauth_username').fill('alice')
  await dialog.locator('#oauth_password').fill('correct horse')
  for (const scope of ['students:read', 'students:write']) await dialog.locator(`label[for^="${scope}-"]`).first().click()
  await dialog.locator('button.authorize', { hasText: 'Authorize' }).click()
  await dialog.locator('button', { hasText: 'Logout' }).waitFor()
  await dialog.locator('button.btn-done').click()

  const kept = String(await page.evaluate('localStorage.authorized'))
  t.match(kept, /"access_token":"[^"]+"/, 'the token is kept for a reload')
  t.notMatch(kept, /correct horse|refresh_token/, 'and nothing that lives longer')

  // else the answer of before is read
  await post.getByRole('button', { name: 'Clear' }).click()
  const created = await execute(post)
  t.equal(created.status, '201')
  t.match(JSON.parse(created.body), { name: 'Jane Doe' })
  const me = await open(page, 'get', '/users/me')
  t.match(JSON.parse((await execute(me)).body), { username: 'alice' })
  await page.reload()
  const again = page.locator('.opblock-get', { has: page.locator('[data-path="/users/me"]') }) // the link to it opened it
  t.match(JSON.parse((await execute(again)).body), { username: 'alice' }, 'also after a reload')
  t.strictSame(errors, [], 'the page met no error')
  t.strictSame(requests.filter((url) => new URL(url).origin !== origin), [], 'every request went to our origin')
})

async function useDocs (t: Test, origin: string, prefix: string): Promise<void> {
  const { page, requests, errors } = await openPage(t, `${origin}${prefix}/docs`)
  await showsOperations(t, page, prefix)

  const post = await open(page, 'post', `${prefix}/students/`)
  const created = await execute(post)
  t.equal(created.status, '201')
  const student = JSON.parse(created.body)
  t.match(student, { id: /^[0-9a-f]{24}$/, name: 'Jane Doe', email: 'jdoe@example.com', gpa: 3 })
  const stored = () => fetch(`${origin}${prefix}/students/${student.id}`)
  t.strictSame(await (await stored()).json(), student)
  if (screenshot && prefix === '') await takePicture(page, screenshot)

  const list = await open(page, 'get', `${prefix}/students/`)
  await list.getByPlaceholder('name.prefix', { exact: true }).fill('Jan')
  await list.getByPlaceholder('gpa.gte', { exact: true }).fill('3')
  await list.getByPlaceholder('fields', { exact: true }).fill('name')
  const listed = JSON.parse((await execute(list)).body)
  t.strictSame(listed.students, [{ id: student.id, name: 'Jane Doe' }], 'a filter is tried out')

  const bulk = await open(page, 'post', `${prefix}/students/import`)
  await bulk.locator('.body-param-content-type select, .opblock-section-request-body select').first().selectOption('text/csv')
  await bulk.locator('textarea').first().fill('name,email,course,gpa\nAda,ada@example.com,Art,4\nBob,bob@example.com,Art,5\nCyd,cyd@example.com,Art,3\n')
  const imported = await execute(bulk)
  t.match(JSON.parse(imported.body), { rows: 3, created: 2, failed: 1, faults: [{ line: 3, row: 2, pointer: '/gpa' }] }, 'three rows are imported')

  const remove = await open(page, 'delete', `${prefix}/students/{id}`)
  await remove.getByPlaceholder('id').fill(student.id)
  t.equal((await execute(remove)).status, '204')
  t.equal((await stored()).status, 404)

  t.strictSame(errors, [], 'the page met no error')
  t.ok(requests.length > 5, `the page made ${requests.length} requests`)
  t.strictSame(requests.filter((url) => new URL(url).origin !== origin), [], 'every request went to our origin')
}

async function showsOperations (t: Test, page: Page, prefix: string): Promise<void> {
  t.equal(await page.title(), 'Student Course API')
  const operations = page.locator('.opblock-summary')
  await operations.first().waitFor()
  const texts = await operations.evaluateAll((all) => all.map(({ textContent }) => textContent))
  // word joiners let long paths break
  t.strictSame(texts.map((text) => text?.replaceAll(/[\u200b\u2060]/g, '')), [
    `POST${prefix}/students/Create Student`,
    `GET${prefix}/students/List Students`,
    `POST${prefix}/students/batchChange Students`,
    `POST${prefix}/students/importImport Students`,
    `GET${prefix}/students/exportExport Students`,
    `GET${prefix}/students/{id}Show Student`,
    `PUT${prefix}/students/{id}Update Student`,
    `PATCH${prefix}/students/{id}Patch Student`,
    `DELETE${prefix}/students/{id}Delete Student`,
    `GET${prefix}/users/{username}Show User`
  ])
}

/** The page from its top to the answer's body, with less air than it has. */
async function takePicture (page: Page, path: string): Promise<void> {
  const style = '.swagger-ui .info { margin: 15px 0 } .swagger-ui .body-param__text { min-height: 105px }' +
    '.swagger-ui .btn { box-shadow: none } .swagger-ui .execute-wrapper { padding: 0 10px 10px }'
  // the page's policy lets no <style> in
  await page.evaluate(`(() => { const sheet = new CSSStyleSheet(); sheet.replaceSync(${JSON.stringify(style)}); document.adoptedStyleSheets.push(sheet) })()`)
  await page.mouse.move(0, 0)
  await page.evaluate('scrollTo(0, 0)')
  const body = await page.locator('.live-responses-table .highlight-code').first().boundingBox()
  const height = Math.ceil((body?.y ?? 0) + (body?.height ?? 0)) + 4
  await page.screenshot({ path, fullPage: true, animations: 'disabled', clip: { x: 0, y: 0, width: 1_280, height } })
}
