import type { Row } from './table.js'

const WIDTH = 1000
const COLUMNS = 2
const BAR = 14
const GAP = 4
const TITLE = 26
const LABEL = 170
const VALUE = 60
const COLORS = ['#0969da', '#54aeff', '#57606a', '#bf8700', '#8250df', '#1a7f37', '#cf222e']

/** One panel for each case, each with a scale of its own: bars of the median, a line from the slowest round to the fastest. */
export function chart (rows: Row[], servers: string[]): string {
  const panelWidth = WIDTH / COLUMNS
  const heights = Array.from({ length: COLUMNS }, () => 0)
  const panels = rows.map((row) => {
    const column = heights.indexOf(Math.min(...heights))
    const top = heights[column] ?? 0
    heights[column] = top + TITLE + row.cells.length * (BAR + GAP) + GAP
    return `<g transform="translate(${column * panelWidth} ${top})">${panel(row, servers, panelWidth)}</g>`
  })
  const height = Math.max(...heights)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="11">
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
${panels.join('\n')}
</svg>
`
}

function panel ({ title, cells }: Row, servers: string[], width: number): string {
  const most = Math.max(1, ...cells.map(({ most }) => most))
  const x = (value: number) => round(LABEL + value / most * (width - LABEL - VALUE))
  const bars = cells.map(({ server, value, least, most }, n) => {
    const y = TITLE + n * (BAR + GAP)
    const middle = y + BAR / 2
    const color = COLORS[servers.indexOf(server) % COLORS.length]
    return `<text x="${LABEL - 6}" y="${middle + 4}" text-anchor="end">${escape(server)}</text>` +
      `<rect x="${LABEL}" y="${y}" width="${round(x(value) - LABEL)}" height="${BAR}" fill="${color}"/>` +
      `<path d="M${x(least)} ${middle}H${x(most)}" stroke="#1f2328"/>` +
      `<text x="${x(most) + 5}" y="${middle + 4}">${Math.round(value).toLocaleString('en')}</text>`
  })
  return `<text x="6" y="17" font-size="13" font-weight="bold">${escape(title)}, requests/s</text>${bars.join('')}`
}

const round = (value: number) => Math.round(value * 10) / 10

function escape (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
