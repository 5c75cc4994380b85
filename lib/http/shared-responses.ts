import { STATUS_CODES } from 'node:http'

interface Operation {
  responses?: Record<string, object>
}

interface OpenApiDocument {
  paths?: object
  components?: object
}

interface Use {
  status: string
  response: object
  count: number
}

/**
 * The OpenAPI document with each error that several operations answer in `components.responses`, under the phrase of its status, and with a number where there are
 * several of that status. The example of such an error has the path of one of them.
 */
export function shareErrors<T extends OpenApiDocument> (document: T): T {
  const uses = new Map<string, Use>()
  mapErrors(document, (status, response) => {
    const key = keyOf(status, response)
    uses.set(key, { status, response, count: (uses.get(key)?.count ?? 0) + 1 })
    return response
  })
  const names = namesOf(uses)
  const responses = Object.fromEntries([...names].map(([key, name]) => [name, uses.get(key)?.response]))
  const paths = mapErrors(document, (status, response) => {
    const name = names.get(keyOf(status, response))
    return name === undefined ? response : { $ref: `#/components/responses/${name}` }
  })
  return { ...document, paths, components: { ...document.components, responses } }
}

/** Two errors are the same if they differ in the path alone. */
function keyOf (status: string, response: object): string {
  return status + JSON.stringify(response, (name, value) => name === 'instance' ? undefined : value)
}

/** A name for each that is used more than once; the one that is used most has none but the phrase. */
function namesOf (uses: Map<string, Use>): Map<string, string> {
  const shared = [...uses].filter(([, { count }]) => count > 1).sort(([, a], [, b]) => b.count - a.count)
  const counts: Record<string, number> = {}
  return new Map(shared.map(([key, { status }]) => {
    const number = counts[status] = (counts[status] ?? 0) + 1
    return [key, String(STATUS_CODES[status]).replaceAll(' ', '') + (number === 1 ? '' : number)]
  }))
}

/** The paths, with what `map` makes of each error. */
function mapErrors ({ paths = {} }: OpenApiDocument, map: (status: string, response: object) => object) {
  return mapValues(paths as Record<string, Record<string, Operation>>, (operations) => mapValues(operations, ({ responses = {}, ...operation }) => ({
    ...operation, responses: mapValues(responses, (response, status) => status < '400' ? response : map(status, response))
  })))
}

function mapValues<T, U> (values: Record<string, T>, map: (value: T, key: string) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value, key)]))
}
