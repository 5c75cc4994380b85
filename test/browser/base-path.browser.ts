// The docs page behind nginx, which takes a prefix away: npm run test:browser
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { startServer } from '../child.js'
import { runCli } from '../launch.js'
import { Nginx } from '../nginx.js'
import { execute, open } from './operation.js'
import { openPage } from './page.js'

t.setTimeout(120_000)

for (const [title, variables] of [
  ['that names it in X-Forwarded-Prefix', { TRUST_PROXY: 'loopback' }],
  ['before a server that has it as BASE_PATH', { BASE_PATH: '/college' }]
] as const) {
  t.test(`behind a proxy ${title}, docs, assets, login and Try it out work under its prefix`, async (t) => {
    const { url, folder } = await startServer(t, 'dist/server.js', { ...variables, AUTH: 'on', JWT_SECRET: randomBytes(32).toString('base64') })
    await runCli({ DATA_DIR: folder }, 'users add alice --scope students:read --scope students:write', 'correct horse\n')
    const port = Number(new URL(url).port)
    const nginx = await Nginx.start([port, port])
    t.teardown(async () => nginx.stop())

    const { page, requests, errors } = await openPage(t, `${nginx.url}/college/docs`)
    await page.locator('.opblock-summary').first().waitFor()
    await page.locator('.auth-wrapper .authorize').click()
    const dialog = page.locator('.modal-ux')
    await dialog.locator('#oauth_username').fill('alice')
    await dialog.locator('#oauth_password').fill('correct horse')
    for (const scope of ['students:read', 'students:write']) await dialog.locator(`label[for^="${scope}-"]`).first().click()
    await dialog.locator('button.authorize', { hasText: 'Authorize' }).click()
    await dialog.locator('button', { hasText: 'Logout' }).waitFor()
    await dialog.locator('button.btn-done').click()

    const post = await open(page, 'post', '/students/')
    const { status, body, headers } = await execute(post)
    t.equal(status, '201')
    const { id } = JSON.parse(body)
    t.match(headers, new RegExp(`location: /college/students/${id}`))
    const get = await open(page, 'get', '/students/{id}')
    await get.getByPlaceholder('id').first().fill(id)
    t.equal((await execute(get)).status, '200')
    t.strictSame(errors, [], 'the page met no error')
    t.ok(requests.length > 5)
    t.strictSame(requests.filter((asked) => !asked.startsWith(`${nginx.url}/college/`)), [], 'every request went below the prefix')
  })
}
