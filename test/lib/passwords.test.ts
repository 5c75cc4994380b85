import { verify } from '@node-rs/argon2'
import t from 'tap'
import { hashPassword, isOutdated, verifyPassword } from '../../lib/passwords.js'

t.test('a hash is argon2id with OWASP\'s parameters, and another one each time', async (t) => {
  const [one, other] = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')])
  t.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  t.not(one, other)
  t.ok(await verify(one, 'correct horse'))
  t.notOk(await verify(one, 'wrong horse'))
})

t.test('only the password of the hash is right, and no hash is nobody\'s', async (t) => {
  const hashed = await hashPassword('correct horse')
  t.equal(await verifyPassword('correct horse', hashed), true)
  t.equal(await verifyPassword('Correct horse', hashed), false)
  for (const stored of [undefined, null, 7, {}, '', 'correct horse', '$argon2i$v=19$m=19456,t=2,p=1$AAAA$AAAA', `${hashed}x`, hashed.slice(0, 40)]) {
    t.equal(await verifyPassword('correct horse', stored), false, String(stored))
  }
})

t.test('a hash is outdated when it took less memory or fewer iterations than one of today', async (t) => {
  t.equal(isOutdated(await hashPassword('correct horse')), false)
  t.equal(isOutdated('$argon2id$v=19$m=19455,t=2,p=1$AAAA$AAAA'), true)
  t.equal(isOutdated('$argon2id$v=19$m=19456,t=1,p=1$AAAA$AAAA'), true)
  t.equal(isOutdated('$argon2id$v=19$m=47104,t=3,p=4$AAAA$AAAA'), false)
  t.equal(isOutdated('no hash'), false)
})

t.test('where there is no hash of ours to check, one of the same cost is checked', async (t) => {
  const checked: string[] = []
  const check = async (hashed: string | Uint8Array) => {
    checked.push(String(hashed))
    if (String(hashed).endsWith('broken')) throw new Error('broken')
    return true
  }
  const good = '$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA'
  t.equal(await verifyPassword('x', good, check), true)
  t.strictSame(checked.splice(0), [good])
  for (const none of [undefined, '$2b$12$x', {}]) {
    t.equal(await verifyPassword('x', none, check), false)
    t.match(checked.splice(0), [/^\$argon2id\$v=19\$m=19456,t=2,p=1\$A{22}\$A{43}$/])
  }
  t.equal(await verifyPassword('x', `${good}broken`, check), false)
  t.equal(checked.length, 2)
})
