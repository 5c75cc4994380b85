import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { MAX_AGE_MS, TokenEndings, type TokenEnding } from '../../lib/access/token-endings.js'
import { StoreUnavailableError } from '../../lib/http/errors.js'
import { StoreGuard } from '../../lib/mongodb/store-guard.js'
import { SCOPES } from '../../schemas/user.js'
import { client } from '../store.js'
import { forge, secured } from './secured.js'

/** Two processes on one database, and what they are asked. */
function processes (t: Test) {
  const database = client.db(`test_${randomUUID()}`)
  const storeGuard = new StoreGuard(client, 5_000)
  t.teardown(async () => {
    storeGuard.close()
    await database.dropDatabase()
  })
  const collection = database.collection<TokenEnding>('token_endings')
  const clock = { now: Date.now() }
  const state: { reads: number, fault?: Error } = { reads: 0 }
  const read = async (operation: never) => {
    state.reads++
    if (state.fault) throw state.fault
    return storeGuard.read(operation)
  }
  const guard = Object.create(storeGuard, { read: { value: read }, write: { value: storeGuard.write.bind(storeGuard) } })
  const process = () => new TokenEndings(collection, guard, { lifeS: 100, now: () => clock.now })
  const holder = (username: string, login?: string) => ({ username, issuedAtMs: clock.now, ...login !== undefined && { login } })
  return { collection, clock, one: process(), other: process(), holder, storeGuard, state }
}

t.test('what one process ends it refuses at once, and another one within a second', async (t) => {
  const { one, other, holder, clock } = processes(t)
  const [alice, bob] = [holder('alice'), holder('bob')]
  t.equal(await other.isEnded(alice), false)
  clock.now++
  await one.end('alice')
  t.equal(await one.isEnded(alice), true)
  t.equal(await other.isEnded(alice), false, 'which has read just now')
  t.equal(await other.isEndedNow(alice), true)
  t.equal(await one.isEnded(bob), false)
  t.equal(await one.isEnded(holder('alice')), false, 'the next login is another one')
  const carol = holder('carol')
  clock.now++
  await one.end('carol')
  clock.now += MAX_AGE_MS + 1
  t.equal(await other.isEnded(carol), true)
})

t.test('one login goes on where it is named, and only it', async (t) => {
  const { one, holder, clock } = processes(t)
  const [kept, ended, older] = [holder('alice', 'a'), holder('alice', 'b'), holder('alice')]
  clock.now++
  await one.end('alice', 'a')
  t.strictSame(await Promise.all([kept, ended, older].map(async (each) => one.isEnded(each))), [false, true, true])
  await one.end('alice')
  t.equal(await one.isEnded(kept), true)
})

t.test('a process reads at most once a second, and forgets what has expired', async (t) => {
  const { collection, one, other, holder, clock, state } = processes(t)
  const alice = holder('alice')
  clock.now++
  await other.end('alice')
  t.strictSame(await Promise.all(Array.from({ length: 50 }, async () => one.isEnded(alice))), Array(50).fill(true))
  t.equal(state.reads, 1)
  clock.now += MAX_AGE_MS + 1
  await one.isEnded(alice)
  t.equal(state.reads, 2)
  await collection.deleteMany({})
  clock.now += 50_000
  t.equal(await one.isEnded(alice), true, 'a read adds to what is known')
  clock.now += 50_000
  t.equal(await one.isEnded(alice), false)
})

t.test('an ending of a process whose clock is late is found by the next read', async (t) => {
  const { collection, one, storeGuard, holder, clock } = processes(t)
  const alice = holder('alice')
  clock.now += 5_000
  await one.isEnded(alice)
  await new TokenEndings(collection, storeGuard, { lifeS: 100, now: () => clock.now - 4_000 }).end('alice')
  clock.now += MAX_AGE_MS + 1
  t.equal(await one.isEnded(alice), true)
})

t.test('without a database it goes by what it knew, and asks again a second later', async (t) => {
  const { one, holder, clock, state } = processes(t)
  const alice = holder('alice')
  clock.now++
  await one.end('alice')
  state.fault = new StoreUnavailableError('Try again later.')
  clock.now += MAX_AGE_MS + 1
  t.equal(await one.isEnded(alice), true)
  t.equal(await one.isEnded(holder('bob')), false)
  t.equal(state.reads, 1)
  await t.rejects(one.isEndedNow(alice), StoreUnavailableError)
  state.fault = new Error('planted')
  clock.now += MAX_AGE_MS + 1
  await t.rejects(one.isEnded(alice), { message: 'planted' })
})

t.test('who is disabled or has other scopes needs another token for everything', async (t) => {
  const { addUser, tokenOf, logIn, send } = await secured(t)
  const admin = forge({ claims: { scope: SCOPES.join(' ') } })
  await addUser('alice')
  const status = async (token: string) => (await send('GET', '/students/', token)).statusCode
  const before = await tokenOf('alice')
  t.equal((await send('PUT', '/users/alice', admin, { scopes: ['students:write'] })).statusCode, 200)
  t.equal(await status(before), 401)
  const after = await logIn('alice')
  t.equal(after.json().scope, 'students:write')
  t.equal(await status(after.json().access_token), 403)
  t.equal((await send('PUT', '/users/alice', admin, { scopes: ['students:read'], disabled: true })).statusCode, 200)
  t.equal(await status(after.json().access_token), 401)
  t.equal((await send('PUT', '/users/alice', admin, { full_name: 'Alice', disabled: false })).statusCode, 200)
  t.equal(await status(await tokenOf('alice')), 200)
})
