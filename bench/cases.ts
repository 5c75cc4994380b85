import { LIST_LIMIT } from '../schemas/resource.js'
import { idOf, studentOf, unknownIdOf } from './students.js'

/** Different ids that are read, and the size of the collection in all cases but the lists. */
const IDS = 10_000
const FEW = 20

/** A request, with its body as JSON. */
export interface BenchRequest {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  body?: string
}

/** The status of every answer; any 2xx is a success. */
export type Status = 'success' | 404 | 422

export interface Case {
  name: string
  title: string
  connections: number
  /** How many students the collection holds at its start. */
  students: number
  status: Status
  writes: boolean
  /** Each student serves one request only: so many are needed as requests come. */
  usesUp?: boolean
  /** How many times as long as the others it is measured. */
  stretch?: number
  /** What is sent, over and over from its start; for a case that uses students up, one request for each of `students`. */
  requests (students: number): BenchRequest[]
}

const CONNECTIONS = [1, 16, 64, 256] as const
/** The number of connections of all other cases. */
const MANY = 64

const read = (n: number): BenchRequest => ({ method: 'GET', path: `/students/${idOf(n)}` })
const create = (n: number): BenchRequest => ({ method: 'POST', path: '/students/', body: JSON.stringify(studentOf(n)) })
// the grade is another each time that the same student's turn comes
const update = (n: number): BenchRequest =>
  ({ method: 'PUT', path: `/students/${idOf(n % IDS)}`, body: JSON.stringify({ gpa: n % 401 / 100 }) })
const list: BenchRequest = { method: 'GET', path: '/students/' }

const common = { connections: MANY, students: IDS, status: 'success', writes: false } as const

export const MIX: Case = {
  ...common,
  name: 'mix',
  title: 'mix: 90% read by id, 5% create, 5% update',
  writes: true,
  requests: () => times(IDS, (n) => n % 20 === 0 ? create(n) : n % 20 === 10 ? update(scattered(n)) : read(scattered(n)))
}

export const CASES: Case[] = [
  ...CONNECTIONS.map((connections) => ({
    ...common,
    name: `read-${connections}`,
    title: `read by id, ${connections} connection${connections === 1 ? '' : 's'}`,
    connections,
    requests: () => times(IDS, (n) => read(scattered(n)))
  })),
  // a slow server takes seconds for the lists of all connections, and ends them together
  { ...common, name: 'list-1000', title: `list of ${LIST_LIMIT}`, students: LIST_LIMIT, stretch: 4, requests: () => [list] },
  { ...common, name: 'list-20', title: `list of ${FEW}`, students: FEW, requests: () => [list] },
  { ...common, name: 'create', title: 'create', writes: true, requests: () => times(IDS, create) },
  { ...common, name: 'update', title: 'update', writes: true, requests: () => times(4 * IDS, (n) => update(n)) },
  {
    ...common,
    name: 'delete',
    title: 'delete',
    writes: true,
    usesUp: true,
    requests: (students) => times(students, (n) => ({ method: 'DELETE', path: `/students/${idOf(n)}` }))
  },
  MIX,
  {
    ...common,
    name: '404',
    title: '404: read by an unknown id',
    status: 404,
    requests: () => times(IDS, (n) => ({ method: 'GET', path: `/students/${unknownIdOf(n)}` }))
  },
  {
    ...common,
    name: '422',
    title: '422: create with a grade of 5',
    status: 422,
    requests: () => times(IDS, (n) => ({ method: 'POST', path: '/students/', body: JSON.stringify({ ...studentOf(n), gpa: 5 }) }))
  }
]

/** Whether a server that knows no student but one can serve a case. */
export const isReadById = ({ name }: Case) => name.startsWith('read-')

function times<T> (length: number, make: (n: number) => T): T[] {
  return Array.from({ length }, (_, n) => make(n))
}

/** All ids once, but no neighbours one after the other: 7919 is prime to their number. */
function scattered (n: number): number {
  return n * 7_919 % IDS
}
