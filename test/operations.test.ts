import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, closeSync } from 'node:fs'
import { connect as connectTo, createServer, type AddressInfo, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { freePort } from './free-port.js'
import { half, launch, listening, send, type Process } from './launch.js'
import { built } from './root.js'
import { janeDoe } from './samples.js'

const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n`

/** The server with its standard output somewhere else; it answers on the port that was given. */
async function launchWith (t: Test, stdout: number | 'pipe') {
  const port = await freePort()
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, `${built}server.js`], {
    stdio: ['ignore', stdout, 'inherit'], env: { ...process.env, MONGODB_URL: '', DATA_DIR: t.testdir(), PORT: String(port), SHED_DELAY_MS: '0' }
  })
  t.teardown(() => child.kill('SIGKILL'))
  const url = `http://127.0.0.1:${port}`
  while (!await fetch(`${url}/students/`).catch(() => undefined)) await sleep(50)
  return { child, url, exited: once(child, 'exit') }
}

t.test('a full log disk costs log lines, and neither requests nor the end', async (t) => {
  const full = openSync('/dev/full', 'w')
  t.teardown(() => closeSync(full))
  const { child, url, exited } = await launchWith(t, full)
  for (let count = 0; count < 20; count++) t.equal((await fetch(`${url}/students/`)).status, 200)
  child.kill('SIGTERM')
  t.strictSame(await exited, [0, null])
})

t.test('a log pipe that nobody reads holds up neither requests nor the end', async (t) => {
  const { child, url, exited } = await launchWith(t, 'pipe')
  // one behind the other on each connection, which costs the client least, and without the store, which so many at once would wait for
  const asked = get(`/nothing/${'0'.repeat(24)}`).replace('close', 'keep-alive').repeat(999) + get('/students/')
  const answers = await Promise.all(Array.from({ length: 4 }, async () => text(await send(url, asked))))
  t.strictSame(answers.map((answer) => answer.match(/HTTP\/1\.1 404 /g)?.length), [999, 999, 999, 999])
  t.equal((await fetch(`${url}/students/`, { signal: AbortSignal.timeout(2_000) })).status, 200)
  const started = performance.now()
  child.kill('SIGTERM')
  t.strictSame(await exited, [0, null])
  t.ok(performance.now() - started < 3_000)
})

t.test('SIGTERM while the server connects to a database that does not answer ends it at once, with exit 0', async (t) => {
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const connected = once(silent, 'connection')
  const { port } = silent.address() as AddressInfo // a TCP server's address is of that type
  const server = launch(t, { MONGODB_URL: `mongodb://127.0.0.1:${port}/` }, { counted: true })
  const [socket]: Socket[] = await connected
  t.teardown(() => {
    socket?.destroy()
    silent.close()
  })
  const started = performance.now()
  server.child.kill('SIGTERM')
  t.strictSame(await server.exited, { code: 0, signal: null })
  t.ok(performance.now() - started < 1_500)
  t.notMatch(server.output, /Student Course API at|out of reach/)
})

t.test('SIGTERM while the embedded store starts ends the server with exit 0, and no port opens', async (t) => {
  const slow = `
    import threads from 'node:worker_threads'
    import { syncBuiltinESMExports } from 'node:module'
    threads.Worker = class extends threads.Worker {
      emit (event, ...values) {
        if (event !== 'message') return super.emit(event, ...values)
        console.log('the store is nearly there')
        return Boolean(setTimeout(() => super.emit(event, ...values), 3000))
      }
    }
    syncBuiltinESMExports()`
  const server = launch(t, { DATA_DIR: t.testdir() }, { execArgv: ['--import', `data:text/javascript,${encodeURIComponent(slow)}`] })
  await server.prints(/nearly there/)
  const started = performance.now()
  server.child.kill('SIGTERM')
  t.strictSame(await server.exited, { code: 0, signal: null })
  t.ok(performance.now() - started < 2_000)
  t.notMatch(server.output, /Student Course API at/)
})

/** Ends a server by a signal, and sees that it ends as by SIGTERM, with exit 0. */
async function endBy (t: Test, server: Process, signal: NodeJS.Signals) {
  server.child.kill(signal)
  t.strictSame(await server.exited, { code: 0, signal: null })
  t.match(server.output, `closing after ${signal}`)
}

t.test('on one server, which SIGUSR2 ends', async (t) => {
  const server = launch(t, { DATA_DIR: t.testdir(), ALLOWED_HOSTS: 'api.example,other.example' }, { counted: true })
  const url = await listening(server)

  t.test('a port in use is one line that names PORT', async (t) => {
    const { port } = new URL(url)
    const rival = launch(t, { DATA_DIR: t.testdir(), PORT: port }, { counted: true })
    t.match(await rival.exited, { code: 1 })
    t.equal(rival.output, `Port ${port} of 127.0.0.1 is in use: set PORT to another one, or stop the process that has it.\n`)
  })

  t.test('what breaks the rules of HTTP is problem details: two hosts, an unknown coding, a tunnel, a body announced too large', async (t) => {
    const large = 'POST /students/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nConnection: close\r\n'
    for (const [request, status] of [
      [get('/students/', 'Host: localhost\r\n'), 400],
      ['POST /students/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', 501],
      ['CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n', 501],
      [`${large}Content-Length: 100000\r\n\r\n`, 413],
      ['GET /students/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n', 421]
    ] as const) {
      const answer = await text(await send(url, request))
      t.match(answer, new RegExp(`^HTTP/1.1 ${status} `), request)
      t.match(answer, /content-type: application\/problem\+json/i)
    }
    const body = JSON.stringify(janeDoe)
    const socket = await send(url, `${large}Content-Length: ${body.length}\r\n\r\n`)
    const [asked] = await once(socket, 'data')
    t.equal(String(asked), 'HTTP/1.1 100 Continue\r\n\r\n')
    socket.write(body)
    t.match(await text(socket), /^HTTP\/1.1 201 /)
  })

  t.test('names of ALLOWED_HOSTS are served on a loopback address', async (t) => {
    for (const [host, status] of [['api.example', 200], ['OTHER.example:8000', 200], ['evil.example', 421], ['127.0.0.1', 200]] as const) {
      const answer = await text(await send(url, `GET /students/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`))
      t.match(answer, new RegExp(`^HTTP/1.1 ${status} `), host)
    }
  })

  t.test('a request whose client left before the answer is in the log', async () => {
    const socket = await send(url, half)
    await sleep(100)
    socket.destroy()
    await server.prints(/"req":\{"method":"POST","path":"\/students\/","ip":"127\.0\.0\.1","route":"\/students\/"\},"msg":"request aborted by the client"/)
  })

  t.test('a connection that never sent a request does not hold up the end, and for a quarter of a second after the signal new ones are served', async (t) => {
    const { port, hostname } = new URL(url)
    const socket = connectTo(Number(port), hostname)
    await once(socket, 'connect')
    await sleep(50)
    const started = performance.now()
    const ended = endBy(t, server, 'SIGUSR2')
    await server.prints(/closing after SIGUSR2/)
    await sleep(100)
    const answer = await text(await send(url, get('/students/')))
    t.match(answer, /^HTTP\/1.1 200 /)
    await ended
    t.ok(performance.now() - started < 3_000)
  })
})

t.test('a variable that is most likely meant for the server is told, and a .env file may begin with a byte order mark; SIGHUP ends the server', async (t) => {
  const cwd = t.testdir({ '.env': '\uFEFFDATA_DIR=./here\nMONGODB_URI=mongodb://user:s3cret@host\n' })
  const server = launch(t, { MONGO_URL: 'mongodb://s3cret' }, { cwd })
  await listening(server)
  await server.prints(/MONGO_URL is not a variable of this server; did you mean MONGODB_URL\?/)
  await server.prints(/MONGODB_URI is not a variable of this server; did you mean MONGODB_URL\?/)
  t.match(server.output, 'store: embedded in ./here')
  t.notMatch(server.output, /s3cret/)
  await endBy(t, server, 'SIGHUP')
})

t.test('clients that make a connection for each request lose none while SIGQUIT ends the server', async (t) => {
  const server = launch(t, { DATA_DIR: t.testdir() })
  const url = await listening(server)
  const lost: string[] = []
  let answered = 0
  const work = async () => {
    for (;;) {
      const socket = await send(url, get('/students/')).catch(() => undefined)
      // refused: nothing listens any more
      if (!socket) return
      const answer = await text(socket).catch((error) => String(error.code))
      if (answer.startsWith('HTTP/1.1 200 ')) answered++
      else lost.push(answer)
    }
  }
  const load = Promise.all(Array.from({ length: 60 }, work))
  await sleep(500)
  const ended = endBy(t, server, 'SIGQUIT')
  await load
  t.ok(answered > 200, `${answered} were answered`)
  t.strictSame(lost, [])
  await ended
})

t.test('under npm a Ctrl-C that comes twice, also as SIGTERM, ends the server once, without an error', async (t) => {
  const server = launch(t, { DATA_DIR: t.testdir(), npm_lifecycle_event: 'dev' })
  await listening(server)
  server.child.kill('SIGINT')
  await sleep(20)
  server.child.kill('SIGTERM')
  t.strictSame(await server.exited, { code: 0, signal: null })
  t.notMatch(server.output, /"level":50/)
})
