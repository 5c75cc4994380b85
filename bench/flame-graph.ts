/** What V8 writes with --cpu-prof: a tree of calls, and which of them ran at each sample. Times are in microseconds. */
export interface CpuProfile {
  nodes: { id: number, callFrame: { functionName: string, url: string, lineNumber: number }, children?: number[] }[]
  samples: number[]
  timeDeltas: number[]
  startTime: number
}

interface Frame {
  name: string
  us: number
  children: Map<string, Frame>
}

const WIDTH = 1200
const ROW = 16
const LETTER = 6
/** Narrower ones are left out: there are thousands of them. */
const NARROWEST = 2

/** The part of a profile between two times as an SVG: each call as wide as its share of the time, above what called it. */
export function flameGraph (profile: CpuProfile, fromUs: number, toUs: number): string {
  const root = merge(profile, fromUs, toUs)
  const rows: string[][] = []
  draw(root, 0, 0, WIDTH / root.us, rows)
  const height = rows.length * ROW
  const lines = rows.map((row, depth) => `<g transform="translate(0 ${height - (depth + 1) * ROW})">${row.join('')}</g>`)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="10">
<style>rect { stroke: #fff; stroke-width: .5 } text { pointer-events: none }</style>
${lines.join('\n')}
</svg>
`
}

/** Calls of the same function by the same functions as one; idle time is none. */
function merge ({ nodes, samples, timeDeltas, startTime }: CpuProfile, fromUs: number, toUs: number): Frame {
  const root: Frame = { name: 'all', us: 0, children: new Map() }
  const stacks = stacksOf(nodes)
  let timeUs = startTime
  for (const [index, sample] of samples.entries()) {
    const us = timeDeltas[index] ?? 0
    timeUs += us
    const stack = stacks.get(sample) ?? []
    if (timeUs < fromUs || timeUs > toUs || stack.includes('(idle)')) continue
    let frame = root
    frame.us += us
    for (const name of stack) {
      const child = frame.children.get(name) ?? { name, us: 0, children: new Map() }
      frame.children.set(name, child)
      child.us += us
      frame = child
    }
  }
  return root
}

/** What has been called at each node, the outermost first. */
function stacksOf (nodes: CpuProfile['nodes']): Map<number, string[]> {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const stacks = new Map<number, string[]>()
  const add = (id: number, above: string[]) => {
    const node = byId.get(id)
    if (!node) return
    const stack = node.callFrame.functionName === '(root)' ? above : [...above, nameOf(node.callFrame)]
    stacks.set(id, stack)
    for (const child of node.children ?? []) add(child, stack)
  }
  add(nodes[0]?.id ?? NaN, [])
  return stacks
}

function nameOf ({ functionName, url }: CpuProfile['nodes'][number]['callFrame']): string {
  const file = /(?:node_modules\/|dist\/|node:)(?!.*node_modules\/)(.*)$/.exec(url)?.[1]
  return [functionName || '(anonymous)', file].filter(Boolean).join(' ')
}

function draw (frame: Frame, depth: number, x: number, scale: number, rows: string[][]): void {
  const width = frame.us * scale
  if (width < NARROWEST) return
  const label = escape(frame.name.slice(0, Math.max(0, Math.floor(width / LETTER) - 1)))
  const title = `${escape(frame.name)}, ${(100 * width / WIDTH).toFixed(1)}%`
  const row = rows[depth] ??= []
  row.push(`<rect x="${x.toFixed(1)}" width="${width.toFixed(1)}" height="${ROW}" fill="${colorOf(frame.name)}"><title>${title}</title></rect>`)
  if (label.length > 2) row.push(`<text x="${(x + 2).toFixed(1)}" y="11">${label}</text>`)
  for (const child of frame.children.values()) {
    draw(child, depth + 1, x, scale, rows)
    x += child.us * scale
  }
}

/** By whose code it is. */
function colorOf (name: string): string {
  if (/ (lib|routes|plugins)\/[\w/-]*\.js$/.test(name)) return '#54aeff'
  if (/ (mongodb|bson)\//.test(name)) return '#7ee787'
  if (/ (fastify|find-my-way|@fastify|fast-|ajv|pino)/.test(name)) return '#ffa657'
  return '#d0d7de'
}

function escape (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
