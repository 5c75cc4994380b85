import type { Row } from './report.js'

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
  const height = TITLE + servers.length * (BAR + GAP) + GAP
  const panels = rows.map((row, n) =>
    `<g transform="translate(${n % COLUMNS * WIDTH / COLUMNS} ${Math.floor(n / COLUMNS) * height})">${panel(row, servers)}</g>`)
  return svg(WIDTH, Math.ceil(rows.length / COLUMNS) * height, 'sans-serif', 11, panels)
}

function panel ({ title, cells }: Row, servers: string[]): string {
  const most = Math.max(1, ...cells.map(({ most }) => most))
  const scaled = (value: number) => Math.round(value / most * (WIDTH / COLUMNS - LABEL - VALUE) * 10) / 10
  const bars = cells.map(({ server, value, least, most }, n) => {
    const y = TITLE + n * (BAR + GAP)
    const middle = y + BAR / 2
    return `<text x="${LABEL - 6}" y="${middle + 4}" text-anchor="end">${escape(server)}</text>` +
      `<rect x="${LABEL}" y="${y}" width="${scaled(value)}" height="${BAR}" fill="${COLORS[servers.indexOf(server) % COLORS.length]}"/>` +
      `<path d="M${LABEL + scaled(least)} ${middle}H${LABEL + scaled(most)}" stroke="#1f2328"/>` +
      `<text x="${LABEL + scaled(most) + 5}" y="${middle + 4}">${Math.round(value).toLocaleString('en')}</text>`
  })
  return `<text x="6" y="17" font-size="13" font-weight="bold">${escape(title)}, requests/s</text>${bars.join('')}`
}

/** A picture of lines of SVG, on white. */
export function svg (width: number, height: number, font: string, size: number, lines: string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="${font}" font-size="${size}">
<rect width="${width}" height="${height}" fill="#fff"/>
${lines.join('\n')}
</svg>
`
}

export const escape = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
