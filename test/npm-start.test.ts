import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { listening, Process } from './launch.js'
import { root } from './root.js'
import { janeDoe } from './samples.js'

interface Outcome {
  sentAt: number
  status: number | undefined
}

/** One student created; `status` stays undefined where no answer came. */
function post (url: string, agent: Agent): Promise<Outcome> {
  const outcome: Outcome = { sentAt: Infinity, status: undefined }
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json' }
    const sent = request(`${url}/students/`, { method: 'POST', agent, headers }, (answer) => {
      outcome.status = answer.statusCode
      answer.resume().on('end', () => resolve(outcome))
    })
    sent.on('finish', () => { outcome.sentAt = performance.now() })
    sent.on('error', () => resolve(outcome))
    sent.end(JSON.stringify(janeDoe))
  })
}

t.test('npm start, told by SIGTERM during load, answers all that was sent before and ends by itself', { timeout: 60_000 }, async (t) => {
  const { MONGODB_URL, NODE_OPTIONS, ...env } = process.env
  // without prestart: it would build anew while other tests run what is built
  const npm = new Process(t, 'npm', ['start', '--ignore-scripts'], { cwd: root, env: { ...env, PORT: '0', DATA_DIR: t.testdir() } })
  const url = await listening(npm)

  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  t.teardown(() => agent.destroy())
  const outcomes: Outcome[] = []
  const work = async () => {
    for (let isUp = true; isUp;) {
      const outcome = await post(url, agent)
      outcomes.push(outcome)
      isUp = outcome.status !== undefined
    }
  }
  const load = Promise.all(Array.from({ length: 32 }, work))
  while (outcomes.length < 1_000) await sleep(10)
  const signalledAt = performance.now()
  npm.child.kill('SIGTERM')
  await load

  const before = outcomes.filter(({ sentAt }) => sentAt < signalledAt)
  t.ok(before.length > 100, `${before.length} requests were sent before`)
  t.strictSame(before.filter(({ status }) => status !== 201), [], 'each of them is answered')
  t.strictSame(await npm.exited, { code: 0, signal: null })
  await t.rejects(fetch(url), 'nothing listens any more')
})
