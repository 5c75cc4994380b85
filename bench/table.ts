import type { Case } from './cases.js'
import type { Sample } from './measure.js'
import { median } from './statistics.js'

/** One figure of all samples: a row for each case, in it a cell for each server that was measured. */
export interface Row {
  case: string
  title: string
  cells: Cell[]
}

export interface Cell {
  server: string
  /** The median of the rounds. */
  value: number
  least: number
  most: number
}

/** The servers of the samples, in their order, by name with the title that is shown. */
export type Titles = Map<string, string>

export function rowsOf (cases: Case[], titles: Titles, samples: Sample[], figure: (sample: Sample) => number): Row[] {
  return cases.map(({ name, title }) => ({
    case: name,
    title,
    cells: [...titles].flatMap(([server, shown]) => {
      const values = samples.filter((sample) => sample.case === name && sample.server === server).map(figure)
      return values.length === 0 ? [] : [{ server: shown, value: median(values), least: Math.min(...values), most: Math.max(...values) }]
    })
  }))
}

/** A table in Markdown of one line for each row. */
export function table (head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** The rows as a table, its columns the servers. */
export function tableOf (rows: Row[], titles: Titles, show: (cell: Cell) => string): string {
  const servers = [...titles.values()]
  return table(['Case', ...servers], rows.map(({ title, cells }) => [title, ...servers.map((server) => {
    const cell = cells.find((cell) => cell.server === server)
    return cell ? show(cell) : ''
  })]))
}
