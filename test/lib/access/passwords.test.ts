import { hash, verify } from '@node-rs/argon2'
import t from 'tap'
import { checkPassword, hashPassword } from '../../../lib/access/passwords.js'

const isRight = async (password: string, stored: unknown) => (await checkPassword(password, stored)).isRight

t.test('a hash is argon2id with OWASP\'s parameters, and another one each time', async (t) => {
  const [one, other] = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')])
  t.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  t.not(one, other)
  t.ok(await verify(one, 'correct horse'))
  t.notOk(await verify(one, 'wrong horse'))
})

t.test('only the password of the hash is right, and no hash is nobody\'s', async (t) => {
  const hashed = await hashPassword('correct horse')
  t.equal(await isRight('correct horse', hashed), true)
  t.equal(await isRight('Correct horse', hashed), false)
  for (const stored of [undefined, null, 7, {}, '', 'correct horse', '$argon2i$v=19$m=19456,t=2,p=1$AAAA$AAAA', `${hashed}x`, hashed.slice(0, 40)]) {
    t.equal(await isRight('correct horse', stored), false, String(stored))
  }
})

t.test('a hash is outdated when it took less memory or fewer iterations than one of today', async (t) => {
  const isOutdated = async (stored: string) => (await checkPassword('x', stored, async () => true)).isOutdated
  t.equal(await isOutdated(await hashPassword('correct horse')), false)
  t.equal(await isOutdated('$argon2id$v=19$m=19455,t=2,p=1$AAAA$AAAA'), true)
  t.equal(await isOutdated('$argon2id$v=19$m=19456,t=1,p=1$AAAA$AAAA'), true)
  t.equal(await isOutdated('$argon2id$v=19$m=47104,t=3,p=4$AAAA$AAAA'), false)
  t.equal(await isOutdated('no hash'), false)
})

t.test('where there is no hash of ours to check, one of the same cost is checked', async (t) => {
  const checked: string[] = []
  const check = async (hashed: string | Uint8Array) => {
    checked.push(String(hashed))
    if (String(hashed).endsWith('broken')) throw new Error('broken')
    return true
  }
  const good = '$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA'
  t.equal((await checkPassword('x', good, check)).isRight, true)
  t.strictSame(checked.splice(0), [good])
  for (const none of [undefined, '$2b$12$x', {}]) {
    t.equal((await checkPassword('x', none, check)).isRight, false)
    t.match(checked.splice(0), [/^\$argon2id\$v=19\$m=19456,t=2,p=1\$A{22}\$A{43}$/])
  }
  t.equal((await checkPassword('x', `${good}broken`, check)).isRight, false)
  t.equal(checked.length, 2)
})

t.test('a password is the same however its characters are composed (NIST SP 800-63B), and takes as long for anybody', async (t) => {
  const [composed, decomposed] = ['caf\u00e9 \u212b', 'cafe\u0301 A\u030a']
  const stored = await hashPassword(composed)
  t.strictSame(await checkPassword(decomposed, stored), { isRight: true, isOutdated: false })
  t.equal(await isRight('caf\u00e8 \u212b', stored), false)
  const old = await hash(decomposed, { memoryCost: 19_456, timeCost: 2, parallelism: 1 })
  t.strictSame(await checkPassword(decomposed, old), { isRight: true, isOutdated: true }, 'a hash of before is still good, and is replaced')
  t.equal(await isRight(composed, old), false)
  let checks = 0
  const check = async () => Boolean(++checks)
  for (const password of [decomposed, composed]) {
    for (const hashed of [stored, undefined, '$2b$12$x']) {
      checks = 0
      await checkPassword(password, hashed, check)
      t.equal(checks, 2)
    }
  }
})
