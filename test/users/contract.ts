import type { Test } from 'tap'
import { USERPROFILE_DOC_TYPE, type StoredUser } from '../../schemas/user.js'
import { getUser, type UserStore } from '../../lib/users/user-store.js'

/** A store that holds none of the users of these tests yet, and a way past it: `put` stores a document as it is, under the id of that user. */
export interface OpenedStore {
  store: UserStore
  put(username: string, document: Record<string, unknown>): Promise<unknown>
}

export interface ContractOptions {
  /** False for a server that can't list documents, as CouchbaseMock. */
  lists?: boolean
}

type Open = (t: Test) => Promise<OpenedStore>

const hash = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g'

/** As the code of FastAPI's tutorial writes it. */
const johndoe = {
  type: USERPROFILE_DOC_TYPE,
  username: 'johndoe',
  email: 'johndoe@example.com',
  full_name: 'John Doe',
  disabled: false,
  hashed_password: 'fakehashedsecret'
}

const alice: StoredUser = {
  type: USERPROFILE_DOC_TYPE,
  username: 'alice',
  email: 'alice@example.com',
  full_name: 'Alice Liddell',
  disabled: false,
  hashed_password: hash,
  scopes: ['students:read', 'users:read']
}

/** What every UserStore does, whatever server it is on. `open` is called once for each test, and cleans up at the test's end. */
export function userStoreContract (t: Test, open: Open, { lists = true }: ContractOptions = {}): void {
  reading(t, open)
  showing(t, open)
  creating(t, open)
  updating(t, open)
  removing(t, open)
  rivals(t, open)
  strangeValues(t, open)
  if (lists) listing(t, open)
}

function reading (t: Test, open: Open) {
  t.test('a user who is not there is undefined', async (t) => {
    const { store } = await open(t)
    t.equal(await store.get('nobody'), undefined)
    t.equal(await getUser(store, 'nobody'), undefined)
  })

  t.test('a document that the FastAPI tutorial wrote is read', async (t) => {
    const { store, put } = await open(t)
    await put('johndoe', johndoe)
    t.hasStrict(await store.get('johndoe'), johndoe)
    t.strictSame(await getUser(store, 'johndoe'), {
      username: 'johndoe', email: 'johndoe@example.com', full_name: 'John Doe', disabled: false
    })
  })

  t.test('a document without type is read', async (t) => {
    const { store, put } = await open(t)
    const { type, ...withoutType } = johndoe
    await put('johndoe', withoutType)
    const stored = await store.get('johndoe')
    t.hasStrict(stored, withoutType)
    t.notOk(stored && 'type' in stored)
  })
}

function showing (t: Test, open: Open) {
  t.test('a shown user has neither hash nor type nor scopes nor any unknown field', async (t) => {
    const { store, put } = await open(t)
    await put('alice', { ...alice, secret: 'x' })
    t.strictSame(Object.keys(await getUser(store, 'alice') ?? {}), ['username', 'email', 'full_name', 'disabled'])
  })

  t.test('absent fields are shown as null', async (t) => {
    const { store, put } = await open(t)
    await put('bare', {})
    t.strictSame(await getUser(store, 'bare'), { username: 'bare', email: null, full_name: null, disabled: null })
  })

  t.test('fields of another type are shown as null', async (t) => {
    const { store, put } = await open(t)
    await put('odd', { username: 7, email: 5, full_name: ['x'], disabled: 'yes', hashed_password: { a: 1 }, scopes: 'all' })
    t.strictSame(await getUser(store, 'odd'), { username: 'odd', email: null, full_name: null, disabled: null })
  })
}

function creating (t: Test, open: Open) {
  t.test('a created user is read as given', async (t) => {
    const { store } = await open(t)
    t.equal(await store.create(alice), true)
    t.hasStrict(await store.get('alice'), alice)
  })

  t.test('creating a user twice keeps the first', async (t) => {
    const { store } = await open(t)
    await store.create(alice)
    t.equal(await store.create({ ...alice, email: 'second@example.com', scopes: [], hashed_password: `${hash}2` }), false)
    t.hasStrict(await store.get('alice'), alice)
  })

  t.test('a document that others wrote is not created over', async (t) => {
    const { store, put } = await open(t)
    await put('johndoe', johndoe)
    t.equal(await store.create({ ...alice, username: 'johndoe' }), false)
    t.hasStrict(await store.get('johndoe'), johndoe)
  })
}

function updating (t: Test, open: Open) {
  t.test('an update changes the given fields and leaves the others', async (t) => {
    const { store } = await open(t)
    await store.create(alice)
    const changes = { full_name: 'Alice', disabled: true, scopes: ['users:write'] }
    t.equal(await store.update('alice', changes), true)
    t.strictSame(pick(await store.get('alice'), Object.keys(alice)), { ...alice, ...changes })
  })

  t.test('an update leaves fields that are undefined, and stores null', async (t) => {
    const { store } = await open(t)
    await store.create(alice)
    t.equal(await store.update('alice', { email: undefined, full_name: null }), true)
    t.hasStrict(await getUser(store, 'alice'), { email: alice.email, full_name: null })
  })

  t.test('an update without any field changes nothing, and tells whether the user is there', async (t) => {
    const { store } = await open(t)
    await store.create(alice)
    for (const changes of [{}, { email: undefined }]) {
      t.equal(await store.update('alice', changes), true)
      t.equal(await store.update('nobody', changes), false)
    }
    t.hasStrict(await store.get('alice'), alice)
  })

  t.test('an update of a user who is not there is false and creates nothing', async (t) => {
    const { store } = await open(t)
    t.equal(await store.update('nobody', { email: 'a@example.com' }), false)
    t.equal(await store.get('nobody'), undefined)
  })

  t.test('an update that expects another hash than the stored one changes nothing', async (t) => {
    const { store, put } = await open(t)
    await store.create(alice)
    await put('bare', {})
    const expected = { hashed_password: `${hash}x` }
    for (const username of ['alice', 'bare', 'nobody']) t.equal(await store.update(username, { hashed_password: 'new' }, expected), false)
    t.hasStrict(await store.get('alice'), alice)
    t.equal(await store.update('alice', { hashed_password: 'new' }, { hashed_password: hash }), true)
    t.hasStrict(await store.get('alice'), { ...alice, hashed_password: 'new' })
  })

  t.test('an update that expects a user without certain scopes changes nobody who holds one of them', async (t) => {
    const { store, put } = await open(t)
    await store.create(alice)
    await put('bare', {})
    const lacks = ['users:write', 'users:read']
    t.equal(await store.update('alice', { full_name: 'New' }, { lacks }), false)
    t.equal(await store.update('alice', { full_name: 'New' }, { lacks: ['users:read'] }), false)
    t.equal(await store.update('nobody', { full_name: 'New' }, { lacks }), false)
    t.hasStrict(await store.get('alice'), alice)
    t.equal(await store.update('alice', { full_name: 'New' }, { lacks: ['users:write'], hashed_password: hash }), true)
    t.equal(await store.update('alice', { full_name: 'Newer' }, { lacks: [] }), true)
    t.equal(await store.update('bare', { full_name: 'New' }, { lacks }), true)
    t.equal((await store.get('alice'))?.full_name, 'Newer')
  })

  t.test('fields that the store does not know survive an update', async (t) => {
    const { store, put } = await open(t)
    const unknown = { age: 42, score: 1.5, tags: ['a', { b: null }], address: { city: 'Zürich', geo: { lat: 47.4 } } }
    await put('johndoe', { ...johndoe, ...unknown })
    t.equal(await store.update('johndoe', { disabled: true, hashed_password: hash }), true)
    t.hasStrict(await store.get('johndoe'), { ...johndoe, ...unknown, disabled: true, hashed_password: hash })
  })
}

function removing (t: Test, open: Open) {
  t.test('a user who was removed is there no more, and can be created anew', async (t) => {
    const { store } = await open(t)
    await store.create(alice)
    t.equal(await store.delete('nobody'), false)
    t.equal(await store.delete('alice'), true)
    t.equal(await store.get('alice'), undefined)
    t.equal(await store.delete('alice'), false)
    t.equal(await store.create(alice), true)
  })

  t.test('a user who holds one of certain scopes, or has another hash, is not removed', async (t) => {
    const { store } = await open(t)
    await store.create(alice)
    t.equal(await store.delete('alice', { lacks: ['users:write', 'users:read'] }), false)
    t.equal(await store.delete('alice', { hashed_password: `${hash}x` }), false)
    t.hasStrict(await store.get('alice'), alice)
    t.equal(await store.delete('alice', { lacks: ['users:write'], hashed_password: hash }), true)
  })
}

function rivals (t: Test, open: Open) {
  t.test('of several who create one user at once, exactly one does', async (t) => {
    const { store } = await open(t)
    const users = Array.from({ length: 8 }, (_, index) => ({ ...alice, email: `${index}@example.com`, hashed_password: `${hash}${index}` }))
    const created = await Promise.all(users.map((user) => store.create(user)))
    t.equal(created.filter(Boolean).length, 1)
    t.hasStrict(await store.get('alice'), users[created.indexOf(true)])
  })

  t.test('updates of different fields at once all survive', async (t) => {
    const { store } = await open(t)
    await store.create(alice)
    const changes = [{ email: 'new@example.com' }, { full_name: 'New' }, { disabled: true }, { scopes: ['students:write'] }]
    t.strictSame(await Promise.all(changes.map((change) => store.update('alice', change))), [true, true, true, true])
    t.hasStrict(await store.get('alice'), Object.assign({ hashed_password: hash }, ...changes))
  })

  t.test('of several who remove one user at once, exactly one does', async (t) => {
    const { store } = await open(t)
    await store.create(alice)
    const removed = await Promise.all(Array.from({ length: 8 }, async () => store.delete('alice')))
    t.equal(removed.filter(Boolean).length, 1)
  })
}

function strangeValues (t: Test, open: Open) {
  for (const username of ['$ne', '__proto__', 'constructor', 'a.b', 'a::b', '.*', '%']) {
    t.test(`the username ${username} names that user and no other`, async (t) => {
      const { store } = await open(t)
      await store.create(alice)
      t.equal(await store.get(username), undefined)
      t.equal(await store.update(username, { disabled: true }), false)
      t.equal(await store.create({ ...alice, username, email: 'strange@example.com' }), true)
      t.equal(await store.update(username, { disabled: true }), true)
      t.hasStrict(await getUser(store, username), { username, email: 'strange@example.com', disabled: true })
      t.hasStrict(await store.get('alice'), alice)
    })
  }

  t.test('text in any alphabet comes back as it was', async (t) => {
    const { store } = await open(t)
    const text = { email: 'zoë@exämple.com', full_name: 'Zoë 学生 👩‍🎓 𝒥 \u2028 "\\ $ne {a.b}' }
    await store.create({ ...alice, ...text })
    t.hasStrict(await getUser(store, 'alice'), text)
    await store.update('alice', { full_name: 'Ω\u0301 مرحبا' })
    t.equal((await getUser(store, 'alice'))?.full_name, 'Ω\u0301 مرحبا')
  })
}

function listing (t: Test, open: Open) {
  t.test('the list holds every profile, also one without type', async (t) => {
    const { store, put } = await open(t)
    await store.create(alice)
    const { type, ...withoutType } = johndoe
    await put('johndoe', withoutType)
    const listed = new Map((await store.list()).map((user) => [user.username, user]))
    t.hasStrict(listed.get('alice'), alice)
    t.hasStrict(listed.get('johndoe'), withoutType)
  })
}

function pick (document: object | undefined, names: string[]): object {
  return Object.fromEntries(Object.entries(document ?? {}).filter(([name]) => names.includes(name)))
}
