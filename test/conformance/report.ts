import type { Document } from 'mongodb'
import { accepted } from './accepted.js'
import { rows } from './rows.js'
import { textOf } from './side.js'

/** What two servers made of a case, as text. */
export interface Outcome {
  kind: string
  ours: string
  theirs: string
  /** The commands as the driver sent them to the embedded store. */
  sent: Document[]
}

/** Differences shown in full; of more, the count is enough. */
const shown = 20

export class Report {
  readonly differences: Outcome[] = []
  private readonly casesByRow = new Map(rows.map(row => [row, 0]))
  private readonly differencesByRow = new Map<string, number>()
  private readonly acceptedByTitle = new Map(accepted.map(({ title }) => [title, 0]))

  /** Counts a case; whether both servers did the same. */
  compared (outcome: Outcome, touched: string[]): boolean {
    const own = new Set(touched)
    for (const row of own) increment(this.casesByRow, row)
    if (outcome.ours === outcome.theirs) return true
    const known = accepted.find(({ fits }) => fits(outcome))
    if (known !== undefined) {
      increment(this.acceptedByTitle, known.title)
      return false
    }
    this.differences.push(outcome)
    for (const row of own) increment(this.differencesByRow, row)
    return false
  }

  /** No difference, and at least one case in a hundred for every row. */
  passes (cases: number): boolean {
    return this.differences.length === 0 && this.missing(cases).length === 0
  }

  text (cases: number): string {
    return [
      ...[...this.casesByRow].map(([row, count]) => `${row.padEnd(34)} ${String(count).padStart(7)} cases ${String(this.differencesByRow.get(row) ?? 0).padStart(5)} differences`),
      ...[...this.acceptedByTitle].map(([title, count]) => `accepted ${count} times: ${title}`),
      ...this.differences.slice(0, shown).map(shownInFull),
      ...this.missing(cases).map(row => `too few cases: ${row}`),
      `${this.differences.length} differences, ${this.missing(cases).length} of ${rows.length} rows with too few cases`
    ].join('\n')
  }

  private missing (cases: number): string[] {
    const wanted = Math.max(1, Math.trunc(cases / 100))
    return rows.filter(row => (this.casesByRow.get(row) ?? 0) < wanted)
  }
}

function increment (counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function shownInFull ({ kind, ours, theirs, sent }: Outcome): string {
  return [`difference in: ${kind}`, ...sent.map(command => `  sent   ${cut(textOf(command))}`), `  ours   ${cut(ours)}`, `  theirs ${cut(theirs)}`].join('\n')
}

function cut (text: string): string {
  return text.length > 1500 ? `${text.slice(0, 1500)}...` : text
}
