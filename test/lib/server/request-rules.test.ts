import type { IncomingMessage } from 'node:http'
import t from 'tap'
import { refusalOf } from '../../../lib/server/request-rules.js'
import { isServedHost } from '../../../lib/server/served-hosts.js'

const open = { isLocal: false, allowedHosts: new Set<string>() }
const local = { isLocal: true, allowedHosts: new Set(['api.example']) }

/** A request as far as it is looked at. */
function request (headers: [string, string][], httpVersionMinor = 1): IncomingMessage {
  const named = Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]).reverse())
  return { headers: named, rawHeaders: headers.flat(), httpVersionMinor } as unknown as IncomingMessage
}

t.test('a request has one Host, and no transfer coding but chunked', async (t) => {
  t.equal(refusalOf(request([['Host', 'a']]), open), undefined)
  t.match(refusalOf(request([]), open), { status: 400 })
  t.equal(refusalOf(request([], 0), open), undefined, 'HTTP/1.0 may do without')
  for (const second of ['a', 'b']) t.match(refusalOf(request([['Host', 'a'], ['Accept', '*'], ['HOST', second]]), open), { status: 400 })
  t.match(refusalOf(request([['Host', 'a'], ['Transfer-Encoding', 'gzip, chunked']]), open), { status: 501 })
  t.equal(refusalOf(request([['Host', 'a'], ['Transfer-Encoding', 'Chunked']]), open), undefined)
})

t.test('where only this machine is let in, a request is for a name of this machine, or for one that is allowed', async (t) => {
  t.equal(refusalOf(request([['Host', 'evil.example']]), open), undefined)
  t.match(refusalOf(request([['Host', 'evil.example']]), local), { status: 421, detail: /ALLOWED_HOSTS/ })
  t.equal(refusalOf(request([['Host', 'API.example:8000']]), local), undefined)
  t.equal(refusalOf(request([], 0), local), undefined)
  for (const host of ['localhost', 'LOCALHOST:8000', '127.0.0.1:8000', '127.9.9.9', '[::1]:8000', '[::1]', 'docs.localhost:80']) t.ok(isServedHost(host, new Set()), host)
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1', '', 'evillocalhost', '[::2]', '127.0.0.1@evil.example']) t.notOk(isServedHost(host, new Set()), host)
})
