import t from 'tap'
import { isEmail } from '../../../lib/http/email.js'

const accepted = [
  'jdoe@example.com', 'a@b.ch', "o'hara+tag@mail.example.co.uk", '!#$%&\'*+-/=?^_`{|}~@example.org', `${'a'.repeat(64)}@example.com`, 'j.d.o.e@example.com',
  'josé@example.com', 'user@münchen.de', 'user@xn--mnchen-3ya.de', 'δοκιμή@παράδειγμα.ελ', '用户@例子.广告', 'अजय@डाटा.भारत', 'J@EXAMPLE.COM', 'user@MÜNCHEN.de',
  'user@straße.de', 'x@3com.com', 'x@a-b.com'
]

const refused = [
  '', 'jdoe', '@example.com', 'a@', 'a@b', 'a@localhost', 'a b@example.com', ' a@example.com', 'a@example.com ', 'a@example.com\n', '.a@example.com', 'a.@example.com',
  'a..b@example.com', 'a@example..com', 'a@.example.com', 'a@example.com.', 'a@-example.com', 'a@example-.com', 'a@b@example.com', '"a b"@example.com', 'a@[127.0.0.1]',
  'a@127.0.0.1', 'a@1.2', 'a@0x7f.1', 'a@exa_mple.com', 'a@exam!ple.com', 'a@example.com:25', 'a@example.com/x', 'a@example.c%6fm', 'a@xn--a', `${'a'.repeat(65)}@example.com`,
  `${'é'.repeat(33)}@example.com`, `a@${'b'.repeat(64)}.com`, `a@${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.${'e'.repeat(60)}.${'f'.repeat(20)}.com`,
  'a\u200b@example.com', 'a\u00ad@example.com', 'a\u0000@example.com', 'a\u00a0@example.com', 'a@exam\u00adple.com', 'a@exam\u200dple.com', 'a@example。com', 'a@ｅxample.com', '\ud800@example.com'
]

t.test('addresses of mailboxes are accepted, in ASCII and beyond', async (t) => {
  for (const address of accepted) t.ok(isEmail(address), address)
})

t.test('what is no address, or looks like another one, is refused', async (t) => {
  for (const address of refused) t.notOk(isEmail(address), JSON.stringify(address))
})
