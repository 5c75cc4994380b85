import { chmod } from 'node:fs/promises'
import type { CopyOrder, CopyResult } from './copy-apart.js'
import { openCopy } from './file.js'

process.once('message', async ({ source, draft }: CopyOrder) => {
  const result: CopyResult = await copy(source, draft).then(() => ({}), ({ message }: Error) => ({ error: message }))
  process.send?.(result, () => process.disconnect())
})

async function copy (source: string, draft: string): Promise<void> {
  const root = openCopy(source)
  try {
    // compact: without the pages that are free
    await root.backup(draft, true)
    await chmod(draft, 0o600)
  } finally {
    await root.close()
  }
}
