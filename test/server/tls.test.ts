import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect as connectHttp2, constants, type ClientHttp2Session, type IncomingHttpHeaders, type IncomingHttpStatusHeader, type OutgoingHttpHeaders } from 'node:http2'
import { get, request } from 'node:https'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import t, { type Test } from 'tap'
import { certificate } from '../certificate.js'
import { launch, listening, type Process } from '../launch.js'
import { janeDoe } from '../samples.js'

/** A server with TLS, and a session of HTTP/2 with it. */
async function serve (t: Test, env: NodeJS.ProcessEnv = {}) {
  const { cert, key } = await certificate()
  const folder = t.testdir({ 'cert.pem': cert, 'key.pem': key })
  const files = { TLS_CERT_FILE: `${folder}/cert.pem`, TLS_KEY_FILE: `${folder}/key.pem` }
  const server = launch(t, { DATA_DIR: `${folder}/data`, ...files, ...env }, { counted: true })
  const url = await listening(server)
  const port = Number(new URL(url).port)
  const open = () => {
    const session = connectHttp2(url, { ca: cert })
    session.on('error', () => {})
    t.teardown(() => session.destroy())
    return session
  }
  return { server, url, port, cert, files, open }
}

/** A request of HTTP/2 and its answer. */
async function ask (session: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: string) {
  const stream = session.request(headers, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  const [answered] = await once(stream, 'response') as [IncomingHttpHeaders & IncomingHttpStatusHeader]
  return { status: answered[':status'], headers: answered, body: await text(stream) }
}

const create = (session: ClientHttp2Session, more: OutgoingHttpHeaders = {}) =>
  ask(session, { ':method': 'POST', ':path': '/students/', 'content-type': 'application/json', ...more }, JSON.stringify(janeDoe))

async function end (t: Test, server: Process) {
  server.child.kill('SIGTERM')
  t.strictSame(await server.exited, { code: 0, signal: null })
}

t.test('HTTP/2 and HTTP/1.1 are served over TLS, with the same answers and lines of the log', async (t) => {
  const { server, url, port, cert, open } = await serve(t)
  t.match(url, /^https:/)
  t.match(server.output, new RegExp(`docs at ${url}/docs`))
  const session = open()
  const created = await create(session)
  t.equal(created.status, 201)
  const [answer] = await once(get(`${url}${created.headers.location}`, { ca: cert }), 'response')
  t.equal(answer.httpVersion, '1.1')
  t.equal(await text(answer), created.body)
  await server.prints(/"method":"POST","path":"\/students\/","ip":"127\.0\.0\.1","route":"\/students\/"\},"res":\{"statusCode":201,"size":\d+\}/)

  const list = await Promise.all(Array.from({ length: 50 }, async () => ask(session, { ':path': '/students/' })))
  t.ok(list.every(({ status, body }) => status === 200 && JSON.parse(body).students.length === 1))
  t.equal((await create(session, { expect: '100-continue' })).status, 201)

  await t.test('what is no request for a route is refused as over TCP', async (t) => {
    const refused = await ask(session, { ':method': 'POST', ':path': '/students/', 'content-type': 'application/json', expect: 'a miracle' }, '{}')
    t.equal(refused.status, 417)
    t.match(JSON.parse(refused.body), { status: 417 })
    const elsewhere = await ask(session, { ':path': '/students/', ':authority': 'evil.example' })
    t.equal(elsewhere.status, 421)
    t.notOk(elsewhere.headers.connection)
    const tunnel = await ask(session, { ':method': 'CONNECT', ':authority': 'db.example:27017' })
    t.equal(tunnel.status, 501)
    t.match(JSON.parse(tunnel.body), { status: 501, detail: 'This server opens no tunnels.' })
  })

  await t.test('with TLS 1.1 nobody gets in, nor without TLS', async (t) => {
    const old = connectTls({ port, host: '127.0.0.1', ca: cert, maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' })
    await t.rejects(once(old, 'secureConnect'))
    await t.rejects(fetch(url.replace('https', 'http')))
  })

  await t.test('a request whose client leaves is one line, and the others of its connection go on', async (t) => {
    // with its length, since Node's client ends the body before it leaves
    const left = session.request({ ':method': 'POST', ':path': '/students/', 'content-type': 'application/json', 'content-length': 100, 'x-request-id': 'left' })
    left.on('error', () => {})
    left.write('{')
    await sleep(100)
    left.close(constants.NGHTTP2_CANCEL)
    await server.prints(/"reqId":"left".*request aborted by the client/)
    t.equal((await ask(session, { ':path': '/students/' })).status, 200)
    await sleep(100)
    t.equal(server.output.match(/"reqId":"left"/g)?.length, 1)
  })

  await t.test('with SIGTERM a request that is under way is answered, and the client is told to go', async (t) => {
    const whole = JSON.stringify(janeDoe)
    const slow = session.request({ ':method': 'POST', ':path': '/students/', 'content-type': 'application/json' })
    slow.write(whole.slice(0, 9))
    const idle = open()
    await once(idle, 'connect')
    await sleep(100)
    const gone = [once(session, 'goaway'), once(idle, 'close')]
    server.child.kill('SIGTERM')
    await Promise.all(gone)
    slow.end(whole.slice(9))
    const [answered] = await once(slow, 'response') as [IncomingHttpHeaders & IncomingHttpStatusHeader]
    t.equal(answered[':status'], 201)
    t.strictSame(await server.exited, { code: 0, signal: null })
  })
})

t.test('what is late or silent is ended, by request where there are several', async (t) => {
  const { server, cert, port, open } = await serve(t, { REQUEST_TIMEOUT_MS: '500', BODY_LIMIT: '60000', CONNECTION_TIMEOUT_MS: '2500', KEEP_ALIVE_TIMEOUT_MS: '1500' })
  const session = open()
  const slow = session.request({ ':method': 'POST', ':path': '/students/', 'content-type': 'application/json' })
  slow.write('{')
  const [late] = await once(slow, 'response') as [IncomingHttpHeaders & IncomingHttpStatusHeader]
  t.equal(late[':status'], 408)
  t.match(JSON.parse(await text(slow)), { status: 408 })
  t.equal((await ask(session, { ':path': '/students/' })).status, 200)

  const large = session.request({ ':method': 'POST', ':path': '/students/', 'content-type': 'application/json' })
  large.write(Buffer.alloc(65_000))
  const [refused] = await once(large, 'response') as [IncomingHttpHeaders & IncomingHttpStatusHeader]
  t.match(refused, { ':status': 413, connection: undefined })
  large.resume()
  await once(large, 'close')
  t.equal(large.rstCode, constants.NGHTTP2_NO_ERROR, 'of a request that was refused the rest is not waited for')

  const silent = once(session, 'close')
  const half = request({ port, ca: cert, method: 'POST', path: '/students/', headers: { 'content-type': 'application/json', 'content-length': 9 } })
  half.write('{')
  const [answer] = await once(half, 'response')
  t.equal(answer.statusCode, 408)

  await silent
  // an import may be slow, but not silent
  const importing = open().request({ ':method': 'POST', ':path': '/students/import', 'content-type': 'application/x-ndjson' })
  importing.on('error', () => {})
  importing.write('{')
  const mute = request({ port, ca: cert, method: 'POST', path: '/students/import', headers: { 'content-type': 'application/x-ndjson' } })
  mute.write('{')
  await Promise.all([once(importing, 'close'), t.rejects(once(mute, 'response'))])
  t.equal(importing.rstCode, constants.NGHTTP2_CANCEL)
  await end(t, server)
})

t.test('clients that leave their last answer unread keep no server from ending', async (t) => {
  const { server, open } = await serve(t)
  const streams = Array.from({ length: 30 }, () => open().request({ ':method': 'POST', ':path': '/students/', 'content-type': 'application/json' }))
  for (const stream of streams) stream.write('{')
  await sleep(300)
  server.child.kill('SIGTERM')
  // some are answered just before the server says that it ends, in which case Node's own client does not hang up
  for (const stream of streams) {
    await sleep(10)
    stream.end('}')
  }
  t.strictSame(await server.exited, { code: 0, signal: null })
})

t.test('SIGHUP has certificate and key read again; what is no good is told, and changes nothing', async (t) => {
  const { server, port, files, open } = await serve(t)
  const session = open()
  await once(session, 'connect')
  const subject = async () => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { subject: { CN } } = socket.getPeerCertificate()
    socket.destroy()
    return CN
  }
  t.equal(await subject(), 'localhost')
  const next = await certificate('renewed')
  await writeFile(files.TLS_CERT_FILE, next.cert)
  server.child.kill('SIGHUP')
  await server.prints(/SIGHUP: the certificate stays as it was: TLS_CERT_FILE and TLS_KEY_FILE must hold a certificate and its key.*MISMATCH/)
  t.equal(await subject(), 'localhost')
  await writeFile(files.TLS_KEY_FILE, next.key)
  server.child.kill('SIGHUP')
  await server.prints(/SIGHUP: the certificate was read again/)
  t.equal(await subject(), 'renewed')
  t.equal((await ask(session, { ':path': '/students/' })).status, 200, 'connections go on')
  t.notMatch(server.output, /PRIVATE KEY/)
  await end(t, server)
})

t.test('workers serve TLS, and the next ones have the next certificate', async (t) => {
  const { server, port, files, url, cert } = await serve(t, { WORKERS: '2' })
  t.match(url, /^https:/)
  const [answer] = await once(get(`${url}/livez`, { ca: cert }), 'response')
  t.equal(answer.statusCode, 200)
  const next = await certificate('renewed')
  await writeFile(files.TLS_CERT_FILE, next.cert)
  await writeFile(files.TLS_KEY_FILE, next.key)
  server.child.kill('SIGHUP')
  await server.prints(/the workers are replaced/)
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  t.equal(socket.getPeerCertificate().subject.CN, 'renewed')
  socket.destroy()
  await end(t, server)
})
