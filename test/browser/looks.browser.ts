// How the pages look, light, dark and on a phone: npm run test:browser. With PICTURES=FOLDER it leaves pictures there.
import { randomBytes } from 'node:crypto'
import type { Page } from 'playwright-core'
import t from 'tap'
import { startServer } from '../child.js'
import { openPage } from './page.js'

t.setTimeout(120_000)

const { PICTURES: pictures } = process.env

for (const [name, colorScheme, width] of [['light', 'light', 1280], ['dark', 'dark', 1280], ['narrow', 'light', 360], ['narrow-dark', 'dark', 360]] as const) {
  t.test(`the pages are readable and no wider than the window: ${name}`, async (t) => {
    const { url } = await startServer(t, 'dist/server.js', { AUTH: 'on', JWT_SECRET: randomBytes(32).toString('base64') })
    const { page, errors } = await openPage(t, `${url}/`)
    const looksWell = async (what: string) => {
      if (pictures) await page.screenshot({ path: `${pictures}/${what}-${name}.png`, fullPage: true, animations: 'disabled' })
      t.strictSame(await faint(page), [], `${what}: every text has a contrast of 4.5 or more`)
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), width, what)
    }
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 800 })
    await looksWell('home')

    await page.locator('a.first').click()
    await page.locator('.opblock-summary').first().waitFor()
    for (const method of ['post', 'get', 'put']) await page.locator(`.opblock-${method} .opblock-summary`).first().click()
    await page.locator('.opblock-put .responses-table').waitFor()
    await looksWell('docs')
    t.equal(await page.locator('.info a', { hasText: 'openapi.json' }).getAttribute('href'), `${url}/openapi.json`)
    t.equal(await page.locator('.topbar').count(), 0)

    await page.locator('.operation-filter-input').fill('import')
    await page.locator('.opblock').nth(1).waitFor({ state: 'detached' })
    await page.locator('.auth-wrapper .authorize').click()
    t.equal(await page.locator('.modal-ux input[type=text]:visible, .modal-ux select:visible').count(), 1, 'a username and no client')
    await looksWell('auth')
    t.strictSame(errors, [], 'nor does the policy refuse anything')
  })
}

/** The visible texts whose colour stands out too little from what is behind them (WCAG 2.2, 1.4.3). */
async function faint (page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a] }
    const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1]
    const luminance = ([r, g, b]) => [r, g, b].map((each) => each / 255).map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
      .reduce((sum, each, index) => sum + each * [0.2126, 0.7152, 0.0722][index], 0)
    const found = new Set()
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement
      if (!walker.currentNode.textContent.trim() || !element.getClientRects().length || element.closest('script, style, [disabled]')) continue
      const parents = []
      for (let each = element; each; each = each.parentElement) parents.unshift(getComputedStyle(each))
      const behind = parents.reduce((under, { backgroundColor }) => over(parse(backgroundColor), under), [255, 255, 255, 1])
      const color = parse(getComputedStyle(element).color)
      color[3] *= parents.reduce((product, { opacity }) => product * opacity, 1)
      const [dark, light] = [luminance(over(color, behind)), luminance(behind)].sort((a, b) => a - b)
      if ((light + 0.05) / (dark + 0.05) < 4.5) found.add(element.tagName + '.' + element.className + ' below ' + element.parentElement.className + ': ' + color + ' on ' + behind.map(Math.round))
    }
    return [...found]
  })()`)
}
