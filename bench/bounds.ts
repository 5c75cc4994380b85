import { median } from './statistics.js'
import type { Sample } from './measure.js'

/** What a figure of ours is divided by, and what the ratio has to be. */
export interface Bound {
  title: string
  case: string
  against: 'bare' | 'fastapi' | 'constant'
  figure: 'perSecond' | 'p99Ms'
  atLeast?: number
  /** Holds in each round, not in the median alone. */
  atMostInEachRound?: number
}

/** The memory of ours may grow by so much from one minute of the mix to five. */
export const SOAK_BOUND = 1.1

/** The targets of the project, on SecantusDB's Rust server. */
export const BOUNDS: Bound[] = [
  { title: 'read by id', case: 'read-64', against: 'bare', figure: 'perSecond', atLeast: 6 },
  { title: 'read by id', case: 'read-64', against: 'fastapi', figure: 'perSecond', atLeast: 12 },
  { title: 'read by id', case: 'read-64', against: 'constant', figure: 'perSecond', atLeast: 0.45 },
  { title: 'list of 1000', case: 'list-1000', against: 'bare', figure: 'perSecond', atLeast: 3 },
  { title: 'list of 1000', case: 'list-1000', against: 'fastapi', figure: 'perSecond', atLeast: 10 },
  { title: 'create', case: 'create', against: 'bare', figure: 'perSecond', atLeast: 4 },
  { title: 'create', case: 'create', against: 'fastapi', figure: 'perSecond', atLeast: 10 },
  { title: 'update', case: 'update', against: 'bare', figure: 'perSecond', atLeast: 0.95 },
  { title: 'update', case: 'update', against: 'fastapi', figure: 'perSecond', atLeast: 2 },
  { title: 'delete', case: 'delete', against: 'bare', figure: 'perSecond', atLeast: 0.95 },
  { title: 'delete', case: 'delete', against: 'fastapi', figure: 'perSecond', atLeast: 2 },
  { title: 'p99 of read by id', case: 'read-64', against: 'bare', figure: 'p99Ms', atMostInEachRound: 0.3 },
  { title: 'read by id, one connection', case: 'read-1', against: 'bare', figure: 'perSecond', atLeast: 0.9 }
]

export interface Verdict {
  bound: Bound
  /** The ratio of the medians, and of each round. */
  ratio: number
  ofRounds: number[]
  isMet: boolean
}

/** The bounds that the samples can tell of. */
export function judge (samples: Sample[]): Verdict[] {
  return BOUNDS.flatMap((bound) => {
    const figuresOf = (server: string) =>
      samples.filter((sample) => sample.case === bound.case && sample.server === server).map((sample) => sample[bound.figure])
    const ours = figuresOf('ours')
    const theirs = figuresOf(bound.against)
    if (ours.length === 0 || theirs.length === 0) return []
    const ratio = median(ours) / median(theirs)
    const ofRounds = ours.map((figure, round) => figure / Number(theirs[round])) // as many rounds each
    const { atLeast = 0, atMostInEachRound = Infinity } = bound
    return [{ bound, ratio, ofRounds, isMet: Number.isFinite(ratio) && ratio >= atLeast && ofRounds.every((one) => one <= atMostInEachRound) }]
  })
}
