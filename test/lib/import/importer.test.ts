import t from 'tap'
import { StoreUnavailableError } from '../../../lib/http/errors.js'
import { IdRun } from '../../../lib/idempotency/id-run.js'
import type { HeldKey, Progress } from '../../../lib/idempotency/keys.js'
import { Importer } from '../../../lib/import/importer.js'
import type { Row } from '../../../lib/import/row.js'

async function * oneRow (): AsyncGenerator<Row> {
  yield { line: 1, row: 1, text: '{}', value: {} }
}

/** An importer of one row, with the marks that its key got; `beforeSave` may throw. */
function build (signal: AbortSignal, create: () => void, beforeSave: () => void) {
  const marks: Progress[] = []
  const nothing = async () => {}
  const save = async (mark: Progress) => {
    beforeSave()
    marks.push(mark)
  }
  const held: HeldKey = { run: IdRun.begin(), isTakenOver: false, progress: undefined, save, finish: nothing, release: nothing, forget: nothing }
  const importer = new Importer({
    rows: oneRow(),
    check: () => [],
    create: async (rows) => {
      create()
      return rows.map(() => undefined)
    },
    stops: false,
    isDry: false,
    held,
    signal
  })
  return { importer, marks }
}

t.test('a mark waits for a database that is away, as the rows do', async (t) => {
  let saves = 0
  const { importer, marks } = build(new AbortController().signal, () => {}, () => {
    if (saves++ === 0) throw new StoreUnavailableError('write')
  })
  t.equal((await importer.run()).created, 1)
  t.strictSame(marks.map(({ rows }) => rows), [1])
})

t.test('what is stored when the client has left is marked, so that the next try begins there', async (t) => {
  const leaving = new AbortController()
  const { importer, marks } = build(leaving.signal, () => leaving.abort(), () => {})
  await importer.run()
  t.strictSame(marks.map(({ rows, created }) => [rows, created]), [[1, 1]])
})
