import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { networkOf } from '../../lib/http/client-network.js'
import { BSON_OPTIONS } from '../../lib/mongodb/driver-options.js'
import { DuplicateKeyError, StoreUnavailableError } from '../../lib/http/errors.js'
import { LIMITS, LoginLimits, WINDOW_MS, type LoginCounter } from '../../lib/access/login-limits.js'
import { hashPassword } from '../../lib/access/passwords.js'
import { RefreshTokens, type TokenFamily } from '../../lib/access/refresh-tokens.js'
import { StoreGuard } from '../../lib/mongodb/store-guard.js'
import { trustOf } from '../../lib/server/trust-proxy.js'
import { client } from '../store.js'
import { password, secured } from './secured.js'

const DAY_MS = 24 * 60 * 60 * 1000

/** A clock that stands at the start of the window that is, and moves by hand. */
const startOfWindow = () => ({ now: Math.floor(Date.now() / WINDOW_MS) * WINDOW_MS + 1_000 })

function open (t: Test) {
  const database = client.db(`test_${randomUUID()}`)
  const guard = new StoreGuard(client, 5_000)
  t.teardown(async () => {
    guard.close()
    await database.dropDatabase()
  })
  return { database, guard }
}

function limitsOf (t: Test, clock: { now: number }) {
  const { database, guard } = open(t)
  const counters = database.collection<LoginCounter>('login_counters', BSON_OPTIONS)
  const make = () => new LoginLimits(counters, guard, () => clock.now)
  return { counters, make, limits: make() }
}

t.test('the eleventh failed login of an account waits for the next window', async (t) => {
  const clock = startOfWindow()
  const { limits } = limitsOf(t, clock)
  for (let count = 0; count < LIMITS.account; count++) t.equal((await limits.count('alice', `10.0.0.${count}`)).retryAfterS, undefined)
  t.equal((await limits.count('alice', '10.0.1.1')).retryAfterS, WINDOW_MS / 1000 - 1)
  t.equal((await limits.count('bob', '10.0.1.1')).retryAfterS, undefined, 'another account is free')
  clock.now += WINDOW_MS - 1_001
  t.equal((await limits.count('alice', '10.0.1.1')).retryAfterS, 1)
  clock.now += 1
  t.equal((await limits.count('alice', '10.0.1.1')).retryAfterS, undefined)
})

t.test('an address has a limit of its own, and uses up that of no account beyond it', async (t) => {
  const { limits } = limitsOf(t, startOfWindow())
  for (let count = 0; count < LIMITS.address; count++) t.equal((await limits.count(`user${count}`, '10.0.0.1')).retryAfterS, undefined)
  for (let count = 0; count < LIMITS.account; count++) t.ok((await limits.count('alice', '10.0.0.1')).retryAfterS)
  t.equal((await limits.count('alice', '10.0.0.2')).retryAfterS, undefined)
})

t.test('a success resets the account, and takes one off the address', async (t) => {
  const { counters, limits } = limitsOf(t, startOfWindow())
  for (let count = 1; count < LIMITS.account; count++) await limits.count('alice', '10.0.0.1')
  await limits.forgive(await limits.count('alice', '10.0.0.1'))
  const left = await counters.find({}).toArray()
  t.strictSame(left.map(({ _id, count }) => [_id.split(':')[0], count]), [['address', LIMITS.account - 1]])
  t.equal((await limits.count('alice', '10.0.0.1')).retryAfterS, undefined)
})

t.test('an attempt that came to no end counts neither way', async (t) => {
  const { counters, limits } = limitsOf(t, startOfWindow())
  await limits.count('alice', '10.0.0.1')
  await limits.withdraw(await limits.count('alice', '10.0.0.1'))
  t.strictSame((await counters.find({}).toArray()).map(({ count }) => count), [1, 1])
})

t.test('limits are shared by all processes, outlive them, and hold for attempts at once', async (t) => {
  const clock = startOfWindow()
  const { make } = limitsOf(t, clock)
  const [one, other] = [make(), make()]
  const attempts = Array.from({ length: 3 * LIMITS.account }, (_, index) => (index % 2 ? one : other).count('alice', `10.0.0.${index}`))
  const outcomes = await Promise.all(attempts)
  const admitted = outcomes.filter(({ retryAfterS }) => retryAfterS === undefined).length
  // fewer where a server refuses one of two that begin a counter, and has counted it all the same
  t.ok(admitted > 0 && admitted <= LIMITS.account, `${admitted} of ${attempts.length}`)
  t.ok((await make().count('alice', '10.0.9.9')).retryAfterS, 'also for one that has just begun')
})

t.test('a counter ends with its window, and holds no name', async (t) => {
  const clock = startOfWindow()
  const { counters, limits } = limitsOf(t, clock)
  await limits.count('a password typed in the wrong field', '10.0.0.1')
  const stored = await counters.find({}).toArray()
  t.notMatch(JSON.stringify(stored), 'password')
  for (const { expires_at: end } of stored) t.equal(end.getTime(), clock.now - 1_000 + WINDOW_MS)
})

t.test('where MongoDB refuses one of two that begin a counter at once, it is counted again', async (t) => {
  const { database } = open(t)
  const failures = [new DuplicateKeyError('_id')]
  const guard = {
    write: async (operation: (signal: AbortSignal) => unknown) => {
      const failure = failures.pop()
      if (failure) throw failure
      return operation(AbortSignal.timeout(5_000))
    }
  }
  const counters = database.collection<LoginCounter>('login_counters', BSON_OPTIONS)
  const limits = new LoginLimits(counters, guard as unknown as StoreGuard) // all that it uses of one
  t.equal((await limits.count('alice', '10.0.0.1')).retryAfterS, undefined)
  t.equal((await counters.find({}).toArray()).length, 2)
  const refusing = new LoginLimits(counters, { write: async () => { throw new DuplicateKeyError('_id') } } as unknown as StoreGuard)
  t.ok((await refusing.count('alice', '10.0.0.1')).retryAfterS, 'where it is not counted, the login does not go on')
  const broken = new LoginLimits(counters, { write: async () => { throw new Error('broken') } } as unknown as StoreGuard)
  await t.rejects(broken.count('alice', '10.0.0.1'), /broken/)
})

t.test('IPv6 addresses count by their network', async (t) => {
  const of = (address: string) => networkOf(address, '10.0.0.1')
  t.equal(of('192.0.2.7'), '192.0.2.7')
  t.equal(of('::ffff:192.0.2.7'), '192.0.2.7')
  t.equal(of('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
  t.equal(of('2001:0DB8:0001:0002::1'), '2001:db8:1:2::/64')
  t.equal(of('2001:db8::5'), '2001:db8:0:0::/64')
  t.equal(of('::1'), '0:0:0:0::/64')
  t.equal(of('fe80::1%eth0'), 'fe80:0:0:0::/64')
})

t.test('an address counts without the port that a proxy wrote, and what is no address counts as the proxy', async (t) => {
  for (const [written, network] of [
    ['203.0.113.8:4711', '203.0.113.8'], [' 203.0.113.8 ', '203.0.113.8'], ['[2001:db8::5]:4711', '2001:db8:0:0::/64'],
    ['[2001:db8::5]', '2001:db8:0:0::/64'], ['[::ffff:203.0.113.8]:80', '203.0.113.8'],
    ['unknown', '10.0.0.1'], ['_hidden', '10.0.0.1'], ['', '10.0.0.1'], ['203.0.113.8:4711:1', '10.0.0.1'], ['203.0.113.888', '10.0.0.1'], ['[x]', '10.0.0.1']
  ] as const) t.equal(networkOf(written, '10.0.0.1'), network, written)
  const clock = startOfWindow()
  t.intercept(Date, 'now', { value: () => clock.now })
  const { app, database } = await secured(t, {}, { trustProxy: '10.1.0.0/16' })
  const counters = database.collection<LoginCounter>('login_counters', BSON_OPTIONS)
  const { guard } = open(t)
  const limits = new LoginLimits(counters, guard)
  for (const form of [(port: number) => `203.0.113.8:${port}`, (port: number) => `[2001:db8:1:2::${port}]:${port}`]) {
    const logIn = (port: number) => app.inject({
      method: 'POST',
      url: '/token',
      remoteAddress: '10.1.0.1',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-for': form(port) },
      payload: new URLSearchParams({ grant_type: 'password', username: `nobody${port}`, password }).toString()
    })
    t.equal((await logIn(1)).statusCode, 400, form(1))
    for (let port = 2; port < LIMITS.address; port++) await limits.count(`nobody${port}`, networkOf(form(port), '10.1.0.1'))
    t.equal((await logIn(1_001)).statusCode, 400)
    t.equal((await logIn(1_002)).statusCode, 429, form(1_002))
  }
})

t.test('the proxies of a list are trusted in whatever form their addresses are written', async (t) => {
  const isTrusted = trustOf('loopback, 10.1.0.0/16, 192.0.2.7, 2001:db8::/32, 2001:db9::7')
  for (const address of ['127.0.0.1', '::1', '10.1.255.255', '10.1.0.1:8080', '192.0.2.7', '::ffff:10.1.0.1', '2001:db8::1', '[2001:db8::1]:443', '2001:db9::7']) t.equal(isTrusted(address), true, address)
  for (const address of ['10.2.0.1', '192.0.2.8', '2001:db9::1', 'unknown', '', '::ffff:10.2.0.1']) t.equal(isTrusted(address), false, address)
  t.equal(trustOf('uniquelocal')('192.168.1.1'), true)
  t.equal(trustOf('linklocal')('fe80::1%eth0'), true)
})

t.test('an attempt whose answer came too late is taken off before the next one, once', async (t) => {
  const { database, guard } = open(t)
  const counters = database.collection<LoginCounter>('login_counters', BSON_OPTIONS)
  let isLate = false
  const late = {
    write: async <T> (operation: (signal: AbortSignal) => Promise<T>) => {
      const result = await guard.write(operation)
      if (isLate) throw new StoreUnavailableError('The change may have been applied.')
      return result
    }
  }
  const limits = new LoginLimits(counters, late as unknown as StoreGuard, () => startOfWindow().now) // all that it uses of one
  const counted = async () => (await counters.find({}, { sort: { _id: 1 } }).toArray()).map(({ count }) => count)
  const first = await limits.count('alice', '10.0.0.1')
  isLate = true
  for (let attempt = 0; attempt < 2; attempt++) await t.rejects(limits.count('alice', '10.0.0.1'), StoreUnavailableError)
  t.strictSame(await counted(), [1, 1], 'the first is counted; of the others, what was late is taken off as it is tried')
  await t.rejects(limits.withdraw(first), StoreUnavailableError)
  isLate = false
  t.equal((await limits.count('alice', '10.0.0.1')).retryAfterS, undefined)
  t.strictSame(await counted(), [1, 1], 'this one alone')
  for (let count = 1; count < LIMITS.account; count++) t.equal((await limits.count('alice', `10.0.0.${count}`)).retryAfterS, undefined)
  t.ok((await limits.count('alice', '10.0.9.9')).retryAfterS, 'nothing was taken off twice')
})

t.test('what is owed outlives a second failure, and an outage does not make it grow', async (t) => {
  const { database, guard } = open(t)
  const counters = database.collection<LoginCounter>('login_counters', BSON_OPTIONS)
  let state: 'well' | 'late' | 'away' = 'well'
  let operations = 0
  const failing = {
    write: async <T> (operation: (signal: AbortSignal) => Promise<T>) => {
      operations++
      if (state === 'away') throw new StoreUnavailableError('Nothing was changed.')
      const result = await guard.write(operation)
      if (state === 'late') throw new StoreUnavailableError('The change may have been applied.')
      return result
    }
  }
  const limits = new LoginLimits(counters, failing as unknown as StoreGuard, () => startOfWindow().now) // all that it uses of one
  await limits.count('alice', '10.0.0.1')
  state = 'late'
  // at once, so that each is counted and none takes off another's
  await Promise.all(Array.from({ length: 3 }, async () => t.rejects(limits.count('bob', '10.0.0.1'), StoreUnavailableError)))
  state = 'away'
  for (let attempt = 0; attempt < 50; attempt++) await t.rejects(limits.count('bob', '10.0.0.1'), StoreUnavailableError)
  state = 'well'
  operations = 0
  await limits.count('bob', '10.0.0.1')
  t.ok(operations <= 40, `${operations} operations`)
  t.equal((await counters.find({}).toArray()).find(({ _id }) => _id.startsWith('address'))?.count, 2, 'the first and the last one')
})

t.test('too many failed logins are 429 problem details, for a right password too', async (t) => {
  const clock = startOfWindow()
  t.intercept(Date, 'now', { value: () => clock.now })
  const { addUser, logIn, refresh } = await secured(t)
  await addUser('alice')
  const { refresh_token: token } = (await logIn('alice')).json()
  for (const name of ['alice', 'nobody']) {
    for (let count = 0; count < LIMITS.account; count++) t.equal((await logIn(name, { password: 'wrong' })).statusCode, 400)
    const answer = await logIn(name)
    t.equal(answer.statusCode, 429, name)
    t.equal(answer.headers['retry-after'], String(WINDOW_MS / 1000 - 1))
    t.equal(answer.headers['cache-control'], 'no-store')
    t.match(answer.headers['content-type'], 'application/problem+json')
    t.match(answer.json(), { status: 429, title: 'Too Many Requests', instance: '/token' })
  }
  t.equal((await refresh(token)).statusCode, 200, 'who is logged in goes on')
  clock.now += WINDOW_MS
  t.equal((await logIn('alice')).statusCode, 200)
})

t.test('while the users are out of reach nobody is locked out', async (t) => {
  let isAway = true
  const profile = { username: 'alice', hashed_password: await hashPassword(password) }
  const users = {
    get: async () => {
      if (isAway) throw new StoreUnavailableError('Try again later.')
      return profile
    },
    list: async () => [],
    create: async () => false,
    update: async () => false,
    delete: async () => false
  }
  const { logIn, database } = await secured(t, { users })
  for (let count = 0; count <= LIMITS.account; count++) t.equal((await logIn('alice')).statusCode, 503)
  isAway = false
  const answer = await logIn('alice')
  t.equal(answer.statusCode, 200)
  t.equal((await database.collection('refresh_tokens').find({}).toArray()).length, 1, 'profiles elsewhere, tokens in the database')
})

t.test('successful logins are not limited', async (t) => {
  const { addUser, logIn } = await secured(t)
  await addUser('alice')
  for (let count = 0; count <= LIMITS.account; count++) t.equal((await logIn('alice')).statusCode, 200)
})

t.test('an address is what the trusted proxies say, and no client says it itself', async (t) => {
  const clock = startOfWindow()
  t.intercept(Date, 'now', { value: () => clock.now })
  for (const trustProxy of [false, '10.1.0.0/16']) {
    const { app, database } = await secured(t, {}, { trustProxy })
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-for': '192.0.2.66' }
    const payload = new URLSearchParams({ grant_type: 'password', username: 'nobody', password }).toString()
    for (const remoteAddress of ['10.1.0.1', '10.2.0.1']) await app.inject({ method: 'POST', url: '/token', remoteAddress, headers, payload })
    const counters = await database.collection<LoginCounter>('login_counters').find({}).toArray()
    const addresses = counters.map(({ _id }) => _id.split(':')).filter(([kind]) => kind === 'address').map(([, address]) => address).sort()
    t.strictSame(addresses, trustProxy ? ['10.2.0.1', '192.0.2.66'] : ['10.1.0.1', '10.2.0.1'])
  }
})

t.test('a family of refresh tokens ends 30 days after its login, however often it was used', async (t) => {
  const clock = { now: Date.now() }
  const { database, guard } = open(t)
  const families = database.collection<TokenFamily>('refresh_tokens', BSON_OPTIONS)
  const tokens = new RefreshTokens(families, guard, ['a key'], { now: () => clock.now })
  const first = await tokens.issue({ username: 'alice' }, ['students:read'])
  clock.now += 30 * DAY_MS - 1
  const found = await tokens.find(first)
  t.match(found, { state: 'current', family: { username: 'alice', scopes: ['students:read'] } })
  const next = found && await tokens.next(found)
  t.equal((await tokens.find(String(next)))?.state, 'current')
  t.equal((await tokens.find(first))?.state, 'recent')
  clock.now += 1
  t.equal(await tokens.find(String(next)), undefined)
  t.equal(found?.family.expires_at.getTime(), clock.now)
})

t.test('a refresh token whose family ends while it is used has no successor', async (t) => {
  const { database, guard } = open(t)
  const tokens = new RefreshTokens(database.collection<TokenFamily>('refresh_tokens', BSON_OPTIONS), guard, ['a key'])
  const found = await tokens.find(await tokens.issue({ username: 'alice' }, []))
  if (!found) throw new Error('no token was found')
  await tokens.revoke(found.family)
  t.equal(await tokens.next(found), undefined)
})

t.test('what expires has an index for it', async (t) => {
  const { database } = await secured(t)
  for (const name of ['refresh_tokens', 'login_counters']) {
    const again = database.collection(name).createIndex({ expires_at: 1 }, { expireAfterSeconds: 60 })
    const error = await again.catch((error) => error)
    t.ok([85, 86].includes(error.code), 'there is one with another time')
  }
})
