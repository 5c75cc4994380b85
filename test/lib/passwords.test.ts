import { verify } from '@node-rs/argon2'
import t from 'tap'
import { hashPassword } from '../../lib/passwords.js'

t.test('a hash is argon2id with OWASP\'s parameters, and another one each time', async (t) => {
  const [one, other] = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')])
  t.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  t.not(one, other)
  t.ok(await verify(one, 'correct horse'))
  t.notOk(await verify(one, 'wrong horse'))
})
