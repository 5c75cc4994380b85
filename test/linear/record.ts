import { randomInt } from 'node:crypto'
import { Changed, type Repository } from '../../lib/resources/repository.js'
import type { student } from '../../schemas/student.js'
import type { Operation, State, Step } from './history.js'

type Students = Repository<typeof student.fields>
type Shown = NonNullable<Awaited<ReturnType<Students['find']>>>

/** A random choice. */
export type Chance = (below: number) => number

export const anyChance: Chance = (below) => randomInt(below)

const stateOf = (record: Shown | undefined): State => record && JSON.stringify([record.name, record.gpa])

const sees = (expected: State): Step => (state) => state === expected ? { state } : undefined

/** A change of what is there. */
const changes = ({ name, gpa }: Partial<Shown>, isAllowed: (state: State) => boolean = () => true): Step => (state) => {
  if (state === undefined || !isAllowed(state)) return undefined
  const [oldName, oldGpa] = JSON.parse(state)
  return { state: JSON.stringify([name ?? oldName, gpa ?? oldGpa]) }
}

const removes = (isAllowed: (state: State) => boolean = () => true): Step => (state) => state !== undefined && isAllowed(state) ? { state: undefined } : undefined

let clock = 0

/** Makes a random operation on a record, and notes it with what its answer says of the moments at which it may have been made. */
export async function operate (students: Students, id: string, chance: Chance): Promise<Operation> {
  const began = clock++
  const [what, ways] = await one(students, id, chance)
  return { what, ways, began, ended: clock++ }
}

async function one (students: Students, id: string, chance: Chance): Promise<[what: string, ways: Step[][]]> {
  const kind = chance(8)
  if (kind < 2) {
    const state = stateOf(await students.find(id))
    return [`read: ${state}`, [[sees(state)]]]
  }
  // only three values, so that some changes are there already
  const change = chance(2) ? { name: `n${chance(3)}` } : { gpa: chance(3) }
  const text = JSON.stringify(change)
  if (kind < 5) {
    const state = stateOf(await students.update(id, change) as Shown | undefined) // without a condition
    const made = [changes(change), sees(state)]
    return [`update ${text}: ${state}`, state === undefined ? [[sees(undefined)], made] : [made]]
  }
  const old = stateOf(await students.find(id))
  const isSame = (state: State) => state === old
  if (kind < 7) {
    const outcome = await students.update(id, change, (record) => stateOf(record) === old)
    if (outcome instanceof Changed) return [`update ${text} if ${old}: changed to ${stateOf(outcome.current)}`, [[unlike(old, stateOf(outcome.current))]]]
    const state = stateOf(outcome)
    const made = [changes(change, isSame), sees(state)]
    // or it was not as expected, but as it was to be
    return [`update ${text} if ${old}: ${state}`, state === undefined ? [[sees(undefined)], made] : [made, [wasMade(change, state)]]]
  }
  if (chance(2)) {
    const outcome = await students.delete(id, (record) => stateOf(record) === old)
    if (outcome instanceof Changed) return [`delete if ${old}: changed to ${stateOf(outcome.current)}`, [[unlike(old, stateOf(outcome.current))]]]
    return [`delete if ${old}: ${outcome}`, [[outcome ? removes(isSame) : sees(undefined)]]]
  }
  const outcome = await students.delete(id)
  return [`delete: ${outcome}`, [[outcome === true ? removes() : sees(undefined)]]]
}

const unlike = (old: State, now: State): Step => (state) => state === now && state !== old ? { state } : undefined

const wasMade = (change: Partial<Shown>, expected: State): Step => (state) => {
  const made = changes(change)(state)
  return state === expected && made?.state === state ? { state } : undefined
}
