import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Importer } from '../../../lib/import/importer.js'

t.test('an import whose file breaks off ends once nothing of it is being stored any more, so that its key is free for the next try', async (t) => {
  const stored: number[] = []
  const importer = new Importer({
    rows: (async function * () {
      for (let row = 1; row <= 2_500; row++) yield { line: row, row, text: String(row), value: {} }
      throw new Error('broken off')
    })(),
    check: () => [],
    create: async (rows) => {
      await sleep(50)
      stored.push(rows.length)
      return rows.map(() => undefined)
    },
    stops: false,
    isDry: false,
    signal: new AbortController().signal
  })
  await t.rejects(importer.run(), { message: 'broken off' })
  t.strictSame(stored, [1_000, 1_000])
})
