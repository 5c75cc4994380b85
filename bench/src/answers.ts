import { isDeepStrictEqual } from 'node:util'
import type { Subject } from './measure.js'
import { idOf, LIST_LIMIT, studentOf, unknownIdOf } from './students.js'

/** What a server answered: status and the fields of the body, those that differ by right left out. */
type Answer = { name: string, status: number, body: unknown }

/** Asks a server once for each kind of request that the cases hold, and for what its writes have left. */
export async function ask ({ url, isConstant, collection }: Subject): Promise<Answer[]> {
  const to = (method: string, path: string, body?: unknown) => request(`${url}/students/${path}`, method, body)
  await collection.hold(LIST_LIMIT)
  const read = { name: 'read by id', ...await to('GET', idOf(0)) }
  if (isConstant) return [read]
  const lists = [{ name: `list of ${LIST_LIMIT}`, ...await to('GET', '') }]
  await collection.hold(20)
  lists.push({ name: 'list of 20', ...await to('GET', '') })
  const created = await to('POST', '', studentOf(30))
  const { id } = Object(created.body)
  const isId = /^[0-9a-f]{24}$/.test(id)
  const createdAgain = await to('GET', id)
  const refused = await to('POST', '', { ...studentOf(30), gpa: 5 })
  const answers = [
    read,
    ...lists,
    { name: 'create', status: created.status, body: { ...Object(created.body), id: isId } },
    { name: 'read what was created', status: createdAgain.status, body: isDeepStrictEqual(createdAgain.body, created.body) },
    { name: 'update', ...await to('PUT', idOf(1), { gpa: 1.25, course: 'Optics' }) },
    { name: 'read what was updated', ...await to('GET', idOf(1)) },
    { name: 'delete', ...await to('DELETE', idOf(2)) },
    { name: 'read what was deleted', ...detailOf(await to('GET', idOf(2))) },
    { name: '404', ...detailOf(await to('GET', unknownIdOf(0))) },
    { name: '404 of an update', ...detailOf(await to('PUT', unknownIdOf(0), { gpa: 1 })) },
    { name: '404 of a delete', ...detailOf(await to('DELETE', unknownIdOf(0))) },
    { name: '422', status: refused.status, body: 'detail' in Object(refused.body) }
  ]
  collection.changed()
  return answers
}

export async function request (url: string, method: string, body?: unknown) {
  const answer = await fetch(url, { method, ...body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } })
  if (answer.headers.get('connection') === 'close') throw new Error(`${method} ${url} closes its connection`)
  const isJson = /^application\/(problem\+)?json/.test(answer.headers.get('content-type') ?? '')
  return { status: answer.status, body: isJson ? await answer.json() : await answer.text() }
}

/** Errors have shapes of their own; their text is the same everywhere. */
function detailOf ({ status, body }: Omit<Answer, 'name'>) {
  return { status, body: Object(body).detail }
}

/** How answers differ from those expected, one text each. Of a constant, the names of the fields count alone. */
export function differences (expected: Answer[], actual: Answer[], isConstant = false): string[] {
  const seen = ({ status, body }: Answer) => ({ status, body: isConstant ? Object.keys(Object(body)) : body })
  return actual.flatMap((answer) => {
    const other = expected.find(({ name }) => name === answer.name)
    if (other && isDeepStrictEqual(seen(answer), seen(other))) return []
    return [`${answer.name}: ${JSON.stringify(seen(answer))} where ours has ${JSON.stringify(other && seen(other))}`.slice(0, 1_000)]
  })
}

/** Throws an Error with every difference between the answers of ours, the first of the servers, and of the others. */
export async function compareAnswers ([ours, ...others]: Subject[], asked = ask): Promise<void> {
  if (!ours) return
  const expected = await asked(ours)
  const found: string[] = []
  for (const other of others) found.push(...differences(expected, await asked(other), other.isConstant).map((difference) => `${other.title}, ${difference}`))
  if (found.length > 0) throw new Error(`The servers do not answer alike:\n${found.join('\n')}`)
  if (others.length > 0) console.error(`${others.length} servers answer as ours does`)
}
