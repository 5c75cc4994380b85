import t from 'tap'
import Fastify from 'fastify'
import { openLogins } from '../../cli/logins.js'
import { loadConfig } from '../../config.js'
import type { LoginCounter } from '../../lib/access/login-limits.js'
import { LIMITS, LoginLimits } from '../../lib/access/login-limits.js'
import { client } from '../store.js'
import { place, run } from './run.js'

t.test('a locked user is unlocked, and a deleted one leaves no login', async (t) => {
  const { env, students } = place(t)
  const database = client.db(students.dbName)
  t.match(await run(env, ['users', 'add', 'alice'], { input: 'correct horse\n' }), { code: 0 })
  const families = database.collection('refresh_tokens')
  await families.insertMany([{ username: 'alice' }, { username: 'bob' }])

  // beside the server, and with users that are elsewhere
  const app = Fastify()
  t.teardown(() => app.close())
  const { endTokens } = await openLogins(app, loadConfig({ ...env, ACCESS_TOKEN_TTL: '60' }))
  const limits = new LoginLimits(database.collection<LoginCounter>('login_counters'), app.storeGuard)
  const isLocked = async () => (await limits.count('alice', '10.0.0.1')).retryAfterS !== undefined
  const lock = async () => { for (let count = 0; count < LIMITS.account; count++) await isLocked() }

  for (const [words, input] of [['unlock'], ['password', 'battery staple\n'], ['delete']] as const) {
    await lock()
    t.equal(await isLocked(), true)
    t.match(await run(env, ['users', words, 'alice'], { ...input && { input } }), { code: 0, errors: '' })
    t.equal(await isLocked(), false, words)
  }
  t.strictSame((await families.find({}).toArray()).map(({ username }) => username), ['bob'])
  const endings = database.collection<{ ended_at: Date, expires_at: Date }>('token_endings')
  const lifeOf = async () => { const [ending] = await endings.find({}).toArray(); return Number(ending?.expires_at) - Number(ending?.ended_at) }
  t.equal(await lifeOf(), 900_000, 'access tokens end too')
  await endTokens('alice')
  t.equal(await lifeOf(), 60_000)
  t.match(await run(env, ['users', 'delete', 'alice']), { code: 1, errors: 'There is no user named alice.\n' })
})
