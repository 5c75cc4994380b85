/** Keys from `start` on, and before `end`. */
export interface Range {
  start: Buffer
  end: Buffer
  /** Those that begin with a whole value, which is `start`. */
  isPoint?: true
}

/** Every key; their first bytes are ranks. */
export const wholeRange: Range = { start: Buffer.alloc(0), end: Buffer.of(0xff) }

/** The keys that begin with this one: after a whole value comes the rank of the next. */
export function pointAt (value: Buffer): Range {
  return { start: value, end: after(value), isPoint: true }
}

export function after (value: Buffer): Buffer {
  return Buffer.concat([value, wholeRange.end])
}

/** The same keys in their order, those that meet as one. */
export function united (ranges: Range[]): Range[] {
  const ordered = ranges.filter(({ start, end }) => Buffer.compare(start, end) < 0).sort((a, b) => Buffer.compare(a.start, b.start))
  const whole: Range[] = []
  for (const range of ordered) {
    const last = whole.at(-1)
    if (last === undefined || Buffer.compare(last.end, range.start) < 0) whole.push(range)
    else if (Buffer.compare(last.end, range.end) < 0) whole[whole.length - 1] = { start: last.start, end: range.end }
  }
  return whole
}

/** The keys that are in a range of either list, both of them in order. */
export function common (some: Range[], others: Range[]): Range[] {
  const shared: Range[] = []
  for (let [one] = some, [other] = others, at = 0, otherAt = 0; one !== undefined && other !== undefined;) {
    shared.push(commonOf(one, other))
    if (Buffer.compare(one.end, other.end) < 0) one = some[++at]
    else other = others[++otherAt]
  }
  return united(shared)
}

function commonOf (one: Range, other: Range): Range {
  const from = Buffer.compare(one.start, other.start) < 0 ? other : one
  const to = Buffer.compare(one.end, other.end) < 0 ? one : other
  // itself, since it may be a point
  if (from.end.equals(to.end)) return from
  return from.start.equals(to.start) ? to : { start: from.start, end: to.end }
}

/** The keys that are in none of these ranges, which are in order. */
export function outside (ranges: Range[]): Range[] {
  let { start } = wholeRange
  const gaps = ranges.map(range => {
    const gap = { start, end: range.start }
    start = range.end
    return gap
  })
  return united([...gaps, { start, end: wholeRange.end }])
}
