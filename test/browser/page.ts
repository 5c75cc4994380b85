import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'

interface Test {
  teardown (close: () => unknown): void
}

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

const args = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-gpu',
  '--disable-quic',
  '--disable-sync',
  '--no-first-run',
  // no name is looked up: what is not on this machine is out of reach
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
  // Chromium has no sandbox for root, as whom containers run
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])
]

/** A page of Debian's Chromium, with the requests that it made and the errors that it met. */
export async function openPage (t: Test, url: string) {
  if (!existsSync(executablePath)) {
    throw new Error(`There is no Chromium at ${executablePath}: apt install chromium, or set CHROMIUM_PATH`)
  }
  const browser = await chromium.launch({ executablePath, args })
  t.teardown(() => browser.close())
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)

  const requests: string[] = []
  const errors: string[] = []
  context.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url())) requests.push(request.url())
  })
  context.on('weberror', (error) => errors.push(String(error.error())))
  context.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  await page.goto(url)
  return { page, requests, errors }
}
