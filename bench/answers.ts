import { isDeepStrictEqual } from 'node:util'
import { LIST_LIMIT } from '../schemas/resource.js'
import type { Answer } from './differences.js'
import type { Server } from './servers.js'
import { idOf, studentOf, unknownIdOf, type StudentCollection } from './students.js'

/** Asks a server once for each kind of request that the cases hold, and for what its writes have left. */
export async function ask (server: Server, collection: StudentCollection): Promise<Answer[]> {
  const to = (method: string, path: string, body?: unknown) => request(`${server.url}/students/${path}`, method, body)
  await collection.hold(LIST_LIMIT)
  const read = { name: 'read by id', ...await to('GET', idOf(0)) }
  if (server.isConstant) return [read]
  const lists = [{ name: `list of ${LIST_LIMIT}`, ...await to('GET', '') }]
  await collection.hold(20)
  lists.push({ name: 'list of 20', ...await to('GET', '') })
  const created = await to('POST', '', studentOf(30))
  const { id } = Object(created.body)
  const isId = /^[0-9a-f]{24}$/.test(id)
  const createdAgain = await to('GET', id)
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
    { name: '422', ...withoutText(await to('POST', '', { ...studentOf(30), gpa: 5 })) }
  ]
  collection.changed()
  return answers
}

async function request (url: string, method: string, body?: unknown) {
  const answer = await fetch(url, { method, ...body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } })
  const text = await answer.text()
  const isJson = /^application\/(problem\+)?json/.test(answer.headers.get('content-type') ?? '')
  const isKept = answer.headers.get('connection') !== 'close'
  if (!isKept) throw new Error(`${method} ${url} closes its connection`)
  return { status: answer.status, body: isJson ? JSON.parse(text) : text }
}

/** Errors have shapes of their own; their text is the same everywhere. */
function detailOf ({ status, body }: { status: number, body: unknown }) {
  return { status, body: Object(body).detail }
}

function withoutText ({ status, body }: { status: number, body: unknown }) {
  return { status, body: 'detail' in Object(body) }
}
