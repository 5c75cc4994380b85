import { parseArgs } from 'node:util'
import { CASES, type Case } from './cases.js'
import { PEERS } from './servers.js'

export interface Options {
  cases: Case[]
  peers: string[]
  rounds: number
  /** How long one measurement is, without its warm-up. */
  seconds: number
  /** A MongoDB server; one is started when this is not set. */
  url: string | undefined
  /** The server that is started: SecantusDB's Rust server. */
  secantusd: string
  soakSeconds: number
  /** Whether failed logins are timed. */
  timesLogins: boolean
  /** Whether servers and load have cores of their own. */
  isPinned: boolean
  /** A revision of this project to compare with, in place of the peers. */
  compare: string | undefined
  /** Where the report goes; a run that is not the whole one prints it only. */
  out: string | undefined
}

export const HELP = `npm run bench -- [OPTION]...

  --rounds N         rounds of each case, default 3
  --seconds N        length of one measurement, default 3; four times as much for list-1000
  --cases A,B        only these cases: ${CASES.map(({ name }) => name).join(', ')}
  --peers A,B        only these beside ours: ${PEERS.join(', ')}
  --quick            one round of one second each
  --soak             also five minutes of the mix, and the memory at their end against that at one minute
  --login-timing     only the times of failed logins, which a whole run has too
  --compare REV      compares with another revision of this project in place of the peers
  --url URL          a MongoDB server; default: starts SecantusDB's Rust server
  --secantusd PATH   that server's program, default $SECANTUSD or secantusd-rs
  --no-pin           leaves the cores to the system
  --out FOLDER       writes benchmarks.md and benchmarks.svg there: default docs, for a whole run
`

/** Options from the command line; undefined where help is asked for. Throws an Error for what is none. */
export function parseOptions (args: string[]): Options | undefined {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({
    args,
    options: {
      rounds: text,
      seconds: text,
      cases: text,
      peers: text,
      url: text,
      secantusd: text,
      compare: text,
      out: text,
      quick: flag,
      soak: flag,
      'no-pin': flag,
      'login-timing': flag,
      help: flag
    }
  })
  if (values.help) return undefined
  const { quick, compare, soak, url, 'login-timing': timesLogins } = values
  const { cases = timesLogins ? '' : undefined, peers = timesLogins || compare !== undefined ? '' : undefined } = values
  const isWhole = !quick && [compare, cases, peers].every((value) => value === undefined)
  return {
    cases: pick('case', CASES.map(({ name }) => name), cases).flatMap((name) => CASES.filter((one) => one.name === name)),
    peers: pick('peer', PEERS, peers),
    timesLogins: timesLogins || isWhole,
    rounds: toCount('rounds', values.rounds ?? (quick ? '1' : '3')),
    seconds: toCount('seconds', values.seconds ?? (quick ? '1' : '3')),
    url,
    secantusd: values.secantusd ?? process.env.SECANTUSD ?? 'secantusd-rs',
    isPinned: !values['no-pin'],
    soakSeconds: soak ? quick ? 10 : 300 : 0,
    compare,
    out: values.out ?? (isWhole ? 'docs' : undefined)
  }
}

/** The names of a list, in the order of all; an empty list names none. */
function pick (kind: string, all: readonly string[], list?: string): string[] {
  if (list === undefined) return [...all]
  const names = list.split(',').filter(Boolean)
  const unknown = names.filter((name) => !all.includes(name))
  if (unknown.length > 0) throw new Error(`There is no ${kind} ${unknown.join(', ')}: choose from ${all.join(', ')}`)
  return all.filter((name) => names.includes(name))
}

function toCount (name: string, text: string): number {
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count < 1) throw new Error(`--${name} takes a whole number from 1`)
  return count
}
