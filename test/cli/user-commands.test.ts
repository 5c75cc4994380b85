import t from 'tap'
import { listUsers, UsageError, userCommands, type UserCommandOptions } from '../../cli/user-commands.js'
import type { UserStore } from '../../lib/users/user-store.js'
import type { StoredUser } from '../../schemas/user.js'

function build (password = 'correct horse') {
  const stored = new Map<string, StoredUser>()
  let asked = 0
  const users: UserStore = {
    get: async (name) => stored.get(name),
    list: async () => [...stored.values()],
    create: async (user) => !stored.has(user.username) && Boolean(stored.set(user.username, user)),
    update: async (name, changes) => {
      const user = stored.get(name)
      return user !== undefined && Boolean(stored.set(name, { ...user, ...changes }))
    },
    delete: async (name) => stored.delete(name)
  }
  const ended: string[] = []
  const context = {
    users,
    readPassword: async () => {
      asked++
      return password
    },
    openLogins: async () => ({
      revokeAll: async (name: string) => { ended.push(`logins of ${name}`) },
      endTokens: async (name: string) => { ended.push(`tokens of ${name}`) },
      unlock: async (name: string) => { ended.push(`lock of ${name}`) }
    })
  }
  const run = async (verb: keyof typeof userCommands, name: string, options: UserCommandOptions = {}) => userCommands[verb](context, name, options)
  return { stored, users, run, ended, asked: () => asked }
}

t.test('an added user is stored with type, scopes and the hash of the password', async (t) => {
  const { run, stored } = build()
  const options = { scope: ['students:read', 'users:write', 'students:read'], email: 'a@b.ch', fullName: 'Alice A' }
  t.equal(await run('add', 'alice', options), 'User alice added, with students:read, users:write.')
  t.match(stored.get('alice'), {
    type: 'userprofile', username: 'alice', email: 'a@b.ch', full_name: 'Alice A', disabled: false, scopes: ['students:read', 'users:write'], hashed_password: /^\$argon2id\$/
  })
  t.equal(await run('add', 'bob'), 'User bob added, without scopes.')
  t.notOk('email' in (stored.get('bob') ?? {}))
})

t.test('a wrong name, scope or password is a wrong use, and stores nothing', async (t) => {
  const { run, stored, asked } = build('short')
  for (const name of ['me', 'Alice', 'a::b', '$ne', '', 'x'.repeat(65)]) await t.rejects(run('add', name), { name: 'UsageError' }, name)
  await t.rejects(run('add', 'alice', { scope: ['root'] }), { name: 'UsageError', message: /^scopes\/0 must be equal to one of the allowed values \(students:read, students:write, users:read, users:write\)$/ })
  for (const options of [{ email: 'no address' }, { email: `${'a'.repeat(100_000)}@example.com` }, { email: '' }, { fullName: '' }, { fullName: 'x'.repeat(201) }]) {
    await t.rejects(run('add', 'alice', options), { name: 'UsageError', message: /^(email|full_name) must [^@]{1,60}$/m })
  }
  t.equal(asked(), 0, 'the password is asked last')
  await t.rejects(run('add', 'alice'), new UsageError('password must NOT have fewer than 8 characters'))
  await t.rejects(build('x'.repeat(257)).run('add', 'alice'), new UsageError('password must NOT have more than 256 characters'))
  await t.rejects(build('\u{1F40E}'.repeat(7)).run('add', 'alice'), new UsageError('password must NOT have fewer than 8 characters'), 'characters are counted as the API counts them')
  t.equal(stored.size, 0)
  await build('\u{1F40E}'.repeat(256)).run('add', 'alice')
})

t.test('a user who is there stays as they are', async (t) => {
  const { run, stored, users, asked } = build()
  await run('add', 'alice')
  const before = stored.get('alice')
  await t.rejects(run('add', 'alice'), { message: 'User alice already exists.' })
  t.equal(asked(), 1)
  users.get = async () => undefined
  await t.rejects(run('add', 'alice'), { message: 'User alice already exists.' }, 'also one that came in between')
  t.equal(stored.get('alice'), before)
})

t.test('a user can be disabled, enabled and given a password', async (t) => {
  const { run, stored, ended } = build()
  await run('add', 'alice')
  const { hashed_password: before } = stored.get('alice') ?? {}
  t.equal(await run('disable', 'alice'), 'User alice disabled.')
  t.equal(stored.get('alice')?.disabled, true)
  t.strictSame(ended.splice(0), ['logins of alice'])
  t.equal(await run('enable', 'alice'), 'User alice enabled.')
  t.equal(stored.get('alice')?.disabled, false)
  t.equal(await run('password', 'alice'), 'User alice has a new password.')
  t.not(stored.get('alice')?.hashed_password, before)
  t.strictSame(ended, ['logins of alice', 'lock of alice'], 'which ends logins and a lock')
})

t.test('the scopes of a user are shown and set', async (t) => {
  const { run, stored, ended } = build()
  await run('add', 'alice')
  t.equal(await run('scopes', 'alice'), 'User alice has no scopes.')
  t.strictSame(ended, [])
  t.equal(await run('scopes', 'alice', { scope: ['students:read', 'users:write', 'students:read'] }), 'User alice has students:read, users:write.')
  t.equal(await run('scopes', 'alice'), 'User alice has students:read, users:write.')
  await t.rejects(run('scopes', 'alice', { scope: ['root'] }), { name: 'UsageError', message: /^scopes\/0 must be equal to one of the allowed values \(students:read/ })
  t.strictSame(stored.get('alice')?.scopes, ['students:read', 'users:write'])
  t.equal(await run('scopes', 'alice', { scope: [''] }), 'User alice has no scopes.')
  t.strictSame(stored.get('alice')?.scopes, [])
  t.strictSame(ended, ['tokens of alice', 'tokens of alice'], 'tokens that say otherwise are ended')
  stored.set('bare', { username: 'bare' })
  t.equal(await run('scopes', 'bare'), 'User bare has no scopes.')
})

t.test('a lock of a user is ended', async (t) => {
  const { run, ended } = build()
  await run('add', 'alice')
  t.equal(await run('unlock', 'alice'), 'User alice unlocked.')
  t.strictSame(ended, ['lock of alice'])
})

t.test('a user is deleted with all logins, and a second try ends what the first has left', async (t) => {
  const { run, stored, ended } = build()
  await run('add', 'alice')
  t.equal(await run('delete', 'alice'), 'User alice deleted.')
  t.equal(stored.size, 0)
  t.strictSame(ended, ['logins of alice', 'lock of alice'])
  await t.rejects(run('delete', 'alice'), { message: 'There is no user named alice.' })
  t.equal(ended.length, 4)
})

t.test('an unknown user can not be changed', async (t) => {
  const { run, asked } = build()
  for (const verb of ['disable', 'enable', 'password', 'scopes', 'unlock', 'delete'] as const) await t.rejects(run(verb, 'nobody'), { message: 'There is no user named nobody.' })
  await t.rejects(run('scopes', 'nobody', { scope: ['users:read'] }), { message: 'There is no user named nobody.' })
  t.equal(asked(), 0)
})

t.test('the list tells names, states and scopes, and no hashes', async (t) => {
  const { run, users } = build()
  t.equal(await listUsers(users), 'There are no users.')
  await run('add', 'bob')
  await run('add', 'alice', { scope: ['users:read'] })
  await run('disable', 'alice')
  await users.create({ username: 'carol' })
  t.equal(await listUsers(users), 'alice disabled users:read\nbob enabled\ncarol enabled')
})
