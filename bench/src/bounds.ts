import { median } from 'simple-statistics'
import type { Sample } from './measure.js'

/** What a figure of ours is divided by, and what the ratio has to be: of rates at least so much, of the 99th percentile at most. */
interface Bound {
  title: string
  case: string
  against: string
  /** Of ours on its embedded store, where that is meant. */
  of?: 'embedded'
  /** The case of what it is divided by, where that is another. */
  to?: string
  atLeast?: number
  /** Holds in each round, not in the median alone. */
  p99AtMost?: number
}

/** The memory of ours may grow by so much from one minute of the mix to five. */
export const SOAK_BOUND = 1.1

/** The targets of the project, on SecantusDB's Rust server. */
const BOUNDS: Bound[] = [
  ...atLeast('read by id', 'read-64', { bare: 6, fastapi: 12, constant: 0.45 }),
  ...atLeast('list of 1000', 'list-1000', { bare: 3, fastapi: 10 }),
  ...atLeast('create', 'create', { bare: 4, fastapi: 10 }),
  { title: 'create with a key beside one without', case: 'create-keyed', against: 'ours', to: 'create', atLeast: 1 / 3 },
  ...atLeast('update', 'update', { bare: 0.95, fastapi: 2 }),
  ...atLeast('delete', 'delete', { bare: 0.95, fastapi: 2 }),
  { title: 'p99 of read by id', case: 'read-64', against: 'bare', p99AtMost: 0.3 },
  ...atLeast('read by id, one connection', 'read-1', { bare: 0.9 }),
  ...atLeast('page 1,000 by filter and sort', 'page-1000', { bare: 3 }),
  { title: 'page 1,000 beside page 1', case: 'page-1000', against: 'ours', to: 'page-1', atLeast: 0.8 },
  { title: 'page 1,000 by filter and sort, embedded', case: 'page-1000', of: 'embedded', against: 'ours', atLeast: 0.5 }
]

function atLeast (title: string, name: string, least: Record<string, number>): Bound[] {
  return Object.entries(least).map(([against, atLeast]) => ({ title, case: name, against, atLeast }))
}

/** The bounds that the samples can tell of, with the ratio of the medians and that of each round. */
export function judge (samples: Sample[]) {
  return BOUNDS.flatMap((bound) => {
    const { of = 'ours', against, to = bound.case, atLeast = 0, p99AtMost } = bound
    const figuresOf = (server: string, name: string) => samples.filter((sample) => sample.case === name && sample.server === server)
      .map(({ perSecond, p99Ms }) => p99AtMost === undefined ? perSecond : p99Ms)
    const [ours, theirs] = [figuresOf(of, bound.case), figuresOf(against, to)]
    if (ours.length === 0 || theirs.length === 0) return []
    const ratio = median(ours) / median(theirs)
    const ofRounds = ours.map((figure, round) => figure / Number(theirs[round])) // as many rounds each
    return [{ bound, ratio, ofRounds, isMet: Number.isFinite(ratio) && ratio >= atLeast && ofRounds.every((one) => one <= (p99AtMost ?? Infinity)) }]
  })
}
