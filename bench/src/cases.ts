import type { Subject } from './measure.js'
import { idOf, LIST_LIMIT, scattered, studentOf, unknownIdOf } from './students.js'

/** Different ids that are read, and the size of the collection in all cases but the lists. */
const IDS = 10_000
const FEW = 20

/** The number of connections of all cases but those that say another. */
const MANY = 64

type Request = { method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown }

export interface Case {
  name: string
  title: string
  connections: number
  /** How many students the collection holds at its start. */
  students: number
  /** The status of every answer; any 2xx is a success. */
  status: 'success' | 404 | 422
  writes: boolean
  /** Whether the collection has the index for an order by grade. */
  isSorted?: boolean
  /** Peers that it is not for. */
  without: readonly string[]
  /** Whether each request has an Idempotency-Key of its own. */
  hasKeys?: boolean
  /** Each student serves one request only: so many are needed as requests come. */
  usesUp?: boolean
  /** How many times as long as the others it is measured. */
  stretch?: number
  /** How many different requests are sent, over and over from the first; where students are used up, one for each. */
  requests: number
  request (n: number, server: string): Request
  /** What has to be done once, before the first request. */
  open?(subjects: Subject[]): Promise<void>
}

const read = (n: number): Request => ({ method: 'GET', path: `/students/${idOf(scattered(n, IDS))}` })
const create = (n: number): Request => ({ method: 'POST', path: '/students/', body: studentOf(n) })
// the grade is another each time that the same student's turn comes
const update = (n: number): Request => ({ method: 'PUT', path: `/students/${idOf(n % IDS)}`, body: { gpa: n % 401 / 100 } })
const list = (): Request => ({ method: 'GET', path: '/students/' })

/** What most cases have in common. */
export const common = { connections: MANY, students: IDS, status: 'success', writes: false, without: ['constant'], requests: IDS } as const

export const readBy = (connections: number, title = `read by id, ${connections} connections`): Case => (
  { ...common, name: `read-${connections}`, title, connections, without: [], request: read })

export const READ = readBy(MANY)

export const MIX: Case = {
  ...common,
  name: 'mix',
  title: 'mix: 90% read by id, 5% create, 5% update',
  writes: true,
  request: (n) => n % 20 === 0 ? create(n) : n % 20 === 10 ? update(scattered(n, IDS)) : read(n)
}

export const CASES: Case[] = [
  readBy(1, 'read by id, 1 connection'), readBy(16), READ, readBy(256),
  // a slow server takes seconds for the lists of all connections, and ends them together
  { ...common, name: 'list-1000', title: `list of ${LIST_LIMIT}, the same for all`, students: LIST_LIMIT, stretch: 4, requests: 1, request: list },
  { ...common, name: 'list-20', title: `list of ${FEW}, the same for all`, students: FEW, requests: 1, request: list },
  { ...common, name: 'create', title: 'create', writes: true, request: create },
  { ...common, name: 'create-keyed', title: 'create with an Idempotency-Key', writes: true, hasKeys: true, without: ['constant', 'bare', 'fastify', 'mongoose', 'fastapi'], request: create },
  { ...common, name: 'update', title: 'update', writes: true, requests: 4 * IDS, request: update },
  { ...common, name: 'delete', title: 'delete', writes: true, usesUp: true, request: (n) => ({ method: 'DELETE', path: `/students/${idOf(n)}` }) },
  MIX,
  { ...common, name: '404', title: '404: read by an unknown id', status: 404, request: (n) => ({ method: 'GET', path: `/students/${unknownIdOf(n)}` }) },
  { ...common, name: '422', title: '422: create with a grade of 5', status: 422, request: (n) => ({ ...create(n), body: { ...studentOf(n), gpa: 5 } }) }
]
