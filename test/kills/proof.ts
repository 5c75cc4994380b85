import { isDeepStrictEqual } from 'node:util'
import pLimit from 'p-limit'
import type { Api } from './api.js'
import { STUDENTS } from './commands.js'
import { ask, type Answer } from './http.js'
import { countEach, differences, isReplayed, strangers, wrongCounts, wrongTogether, type Keyed, type Shown } from './judge.js'
import { sendKeyed, type Tried } from './rounds.js'

const AT_ONCE = 16

/** How many requests with one key come together. */
const TOGETHER = 50

/** Looks, once all requests are answered: each student is there once, and each replay is what the first answer was, also when the student is gone. */
export async function prove (api: Api, requests: readonly Tried[]): Promise<string[]> {
  const stored = await studentsOf(api)
  const idOf = new Map(stored.map(({ id, email }) => [email, id]))
  const counts = countEach(stored.map(({ email }) => email))
  const wrong = strangers(requests, counts).map((email) => `no key made ${email}`)
  const limit = pLimit(AT_ONCE)
  await Promise.all(requests.map(async (request) => limit(async () => {
    request.found = request.students.reduce((sum, { email }) => sum + (counts.get(email) ?? 0), 0)
    request.wrong.push(...wrongCounts(request, counts))
    if (request.wrong.length > 0) return
    const shown = await Promise.all(request.students.map(async ({ email }) => show(api, String(idOf.get(email)))))
    request.wrong.push(...await proveOne(api, request, shown))
  })))
  for (const { email } of await studentsOf(api)) wrong.push(`${email} was made by a replay`)
  return wrong
}

async function proveOne (api: Api, request: Tried, shown: Shown[]): Promise<string[]> {
  const first = request.answer ? differences(request, shown, request.answer) : []
  const replays = [await sendKeyed(api.url, request), await sendKeyed(api.url, request)]
  for (const { id } of shown) await ask(`${api.url}/students/${id}`, { method: 'DELETE' }).answer
  replays.push(await sendKeyed(api.url, request))
  const [one, two] = replays.map((replay) => [replay?.status, bodyAndHeaders(replay)])
  const different = isDeepStrictEqual(one, two) ? [] : ['two replays differ']
  return [...first, ...replays.flatMap((replay, index) => wrongReplay(request, shown, replay).map((each) => `replay ${index + 1}: ${each}`)), ...different]
}

function wrongReplay (request: Keyed, shown: Shown[], replay: Answer | undefined): string[] {
  if (!replay) return ['no answer']
  return [...isReplayed(replay) ? [] : ['without Idempotent-Replayed'], ...differences(request, shown, replay)]
}

/** All but what is of the answer itself: its time and the id of its request. */
function bodyAndHeaders (answer: Answer | undefined): unknown[] {
  return [answer?.body, { ...answer?.headers, date: undefined, 'x-request-id': undefined }]
}

async function show (api: Api, id: string): Promise<Shown> {
  const answer = await ask(`${api.url}/students/${id}`).answer
  return { id, etag: answer?.headers.etag }
}

async function studentsOf (api: Api): Promise<{ id: string, email: string }[]> {
  const found = await (await api.stored()).collection(STUDENTS).find().toArray()
  return found.map(({ _id, email }) => ({ id: String(_id), email: String(email) }))
}

/** Sends one request many times at once; the collection is empty before. Answers what was wrong, and how many students there are. */
export async function together (api: Api, key: string): Promise<{ wrong: string[], answers: (Answer | undefined)[] }> {
  const request = { key, isBatch: false, students: [{ name: 'Together', email: `${key}@example.com`, course: 'Kills', gpa: 3.5 }] }
  const answers = await Promise.all(Array.from({ length: TOGETHER }, async () => sendKeyed(api.url, request)))
  const counts = countEach((await studentsOf(api)).map(({ email }) => email))
  return { wrong: [...wrongTogether(answers), ...wrongCounts(request, counts)], answers }
}
