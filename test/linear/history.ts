/** A record as its readers see it, as JSON; undefined where it is not there. */
export type State = string | undefined

/** What an operation does at one moment of its time: the state after it, or that it could not have been this moment. */
export type Step = (state: State) => { state: State } | undefined

/** One operation on a record. It began and ended at ticks of a clock that all share; between them are its moments, one after the other. */
export interface Operation {
  what: string
  began: number
  ended: number
  /** What it may have been, by its answer: one of these sequences of steps. */
  ways: Step[][]
}

/**
 * Whether there is an order of all steps that explains all answers, in which what ended before something else began comes before it (linearizability,
 * Herlihy and Wing 1990; found by depth-first search, as by Wing and Gong 1993).
 */
export function isLinearizable (operations: readonly Operation[], initial: State): boolean {
  const seen = new Set<string>()

  /** @param places how far each operation has come, by the way that it took; a way is chosen at its first step. */
  function search (places: readonly (Place | undefined)[], state: State): boolean {
    if (places.every((place, index) => isOver(operations[index], place))) return true
    const key = `${places.map((place) => place ? `${place.way}.${place.steps}` : '').join()} ${state}`
    if (seen.has(key)) return false
    seen.add(key)
    // nothing may come after what began once it had ended
    const deadline = Math.min(...operations.filter((operation, index) => !isOver(operation, places[index])).map(({ ended }) => ended))
    return operations.some((operation, index) => {
      if (isOver(operation, places[index]) || operation.began > deadline) return false
      return next(operation, places[index]).some((place) => {
        const after = operation.ways[place.way]?.[place.steps - 1]?.(state)
        return after !== undefined && search(places.with(index, place), after.state)
      })
    })
  }

  return search(operations.map(() => undefined), initial)
}

interface Place {
  way: number
  /** How many steps of it are done. */
  steps: number
}

function next ({ ways }: Operation, place: Place | undefined): Place[] {
  return place ? [{ ...place, steps: place.steps + 1 }] : ways.map((_, way) => ({ way, steps: 1 }))
}

function isOver (operation: Operation | undefined, place: Place | undefined): boolean {
  return place !== undefined && operation?.ways[place.way]?.length === place.steps
}
