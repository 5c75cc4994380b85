import type { Locator, Page } from 'playwright-core'

/** Opens one operation of the docs page, whose form is ready without "Try it out". */
export async function open (page: Page, method: string, path: string): Promise<Locator> {
  const operation = page.locator(`.opblock-${method}`, { has: page.locator(`[data-path="${path}"]`) })
  await operation.locator('.opblock-summary').click()
  return operation
}

/** Sends the request as the form has it, and answers what the page shows of the response. */
export async function execute (operation: Locator) {
  await operation.getByRole('button', { name: 'Execute' }).click()
  const response = operation.locator('.live-responses-table .response')
  const status = await response.locator('.response-col_status').innerText()
  const [body = '', headers = ''] = await response.locator('.response-col_description pre').allInnerTexts()
  return { status: status.trim(), body, headers }
}
