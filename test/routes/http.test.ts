import t from 'tap'
import { DuplicateKeyError, StoreFullError, StoreUnavailableError } from '../../lib/http/errors.js'
import { build } from '../build.js'
import { janeDoe, unknownId } from '../samples.js'

const problemType = 'application/problem+json; charset=utf-8'

t.test('a body that is not JSON is 400', async (t) => {
  const { inject } = await build(t)
  for (const body of ['{', '{"name":', "{'name':1}", 'name=x', '{"a":1}x', '\u0000', '']) {
    const answer = await inject('POST', '/students/', body)
    t.equal(answer.statusCode, 400, JSON.stringify(body))
    t.equal(answer.headers['content-type'], problemType)
    t.match(answer.json(), { type: 'about:blank', title: 'Bad Request', status: 400, instance: '/students/' })
  }
})

t.test('a body of any other media type is 415', async (t) => {
  const { app } = await build(t)
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'application/merge-patch+json', 'x']) {
    for (const [method, url] of [['POST', '/students'], ['PUT', `/students/${unknownId}`]] as const) {
      const answer = await app.inject({ method, url, headers: { 'content-type': type }, payload: JSON.stringify(janeDoe) })
      t.equal(answer.statusCode, 415, `${method} ${type}`)
      t.equal(answer.headers['content-type'], problemType)
    }
  }
  const headers = { 'content-type': 'application/json; charset=utf-8' }
  t.equal((await app.inject({ method: 'POST', url: '/students', headers, payload: janeDoe })).statusCode, 201)
})

t.test('a body that is not UTF-8 is refused before anything of it is stored', async (t) => {
  const { app, students } = await build(t)
  const post = (payload: Buffer, headers = {}) =>
    app.inject({ method: 'POST', url: '/students', headers: { 'content-type': 'application/json', ...headers }, payload })
  const utf8 = Buffer.from(JSON.stringify({ ...janeDoe, name: 'Zoë' }))

  const latin1 = await post(Buffer.from(JSON.stringify({ ...janeDoe, name: 'Zoë' }), 'latin1'))
  t.equal(latin1.statusCode, 400)
  t.equal(latin1.json().detail, 'The body is not well-formed UTF-8.')
  for (const charset of ['latin1', 'utf-16', '"iso-8859-1"']) {
    t.equal((await post(utf8, { 'content-type': `application/json; charset=${charset}` })).statusCode, 415, charset)
  }
  t.equal((await post(utf8, { 'content-encoding': 'gzip' })).statusCode, 415)
  t.equal(await students.countDocuments({}), 0)

  for (const headers of [{}, { 'content-type': 'application/json; charset="UTF-8"' }, { 'content-encoding': 'identity' }]) {
    const answer = await post(utf8, headers)
    t.equal(answer.json().name, 'Zoë')
  }
})

t.test('a body over the limit is 413, one of just that size is not', async (t) => {
  const { inject, students } = await build(t, { bodyLimit: 1_024 })
  const body = (bytes: number) => {
    const rest = JSON.stringify({ ...janeDoe, padding: '' })
    return JSON.stringify({ ...janeDoe, padding: 'x'.repeat(bytes - rest.length) })
  }
  t.equal((await inject('POST', '/students/', body(1_024))).statusCode, 201)
  const answer = await inject('POST', '/students/', body(1_025))
  t.equal(answer.statusCode, 413)
  t.equal(answer.headers['content-type'], problemType)
  t.equal(await students.countDocuments({}), 1)
})

t.test('a method that a path lacks is 405 with those that it has', async (t) => {
  const { app, inject } = await build(t)
  const paths = {
    '/students': 'POST, GET, HEAD, QUERY, OPTIONS',
    '/students/': 'POST, GET, HEAD, QUERY, OPTIONS',
    [`/students/${unknownId}`]: 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS',
    '/openapi.json': 'GET, HEAD, OPTIONS',
    '/docs': 'GET, HEAD, OPTIONS',
    '/docs/': 'GET, HEAD, OPTIONS'
  }
  for (const [path, allow] of Object.entries(paths)) {
    for (const method of app.supportedMethods.filter((method) => !allow.split(', ').includes(method))) {
      const answer = await app.inject({ method: method as 'PATCH', url: path, headers: { 'content-type': 'x/y' }, payload: '{' })
      t.equal(answer.statusCode, 405, `${method} ${path}`)
      t.equal(answer.headers.allow, allow)
      t.equal(answer.headers['content-type'], problemType)
    }
    const options = await inject('OPTIONS', path)
    t.equal(options.statusCode, 204)
    t.equal(options.headers.allow, allow)
  }
})

t.test('every answer forbids browsers to guess its type', async (t) => {
  const { inject } = await build(t)
  const requests = [
    ['GET', '/students/', 200], ['POST', '/students/', 422], ['GET', `/students/${unknownId}`, 404], ['PATCH', '/students', 405],
    ['OPTIONS', '/students', 204], ['GET', '/docs', 200], ['GET', '/docs/static/swagger-ui.css', 200], ['GET', '/openapi.json', 200]
  ] as const
  for (const [method, path, status] of requests) {
    const answer = await inject(method, path)
    t.equal(answer.statusCode, status, `${method} ${path}`)
    t.equal(answer.headers['x-content-type-options'], 'nosniff')
  }
})

t.test('without docs there is no page and no document', async (t) => {
  const { inject } = await build(t, { docs: false })
  for (const path of ['/docs', '/docs/', '/docs/json', '/openapi.json']) t.equal((await inject('GET', path)).statusCode, 404)
  t.equal((await inject('GET', '/students/')).statusCode, 200)
})

t.test('a full or absent store of a repository is told as such, any other code is not', async (t) => {
  const failing = (error: unknown) => async () => { throw error }
  for (const [error, status] of [[new StoreFullError(), 507], [new StoreUnavailableError('Try again later.'), 503],
    [new DuplicateKeyError('email'), 409], [Object.assign(new Error('E11000'), { code: 11000 }), 500], [Object.assign(new Error('teapot'), { statusCode: 418 }), 418]] as const) {
    const fail = failing(error)
    const { inject } = await build(t, { students: { create: fail, list: fail, find: fail, update: fail, delete: fail } })
    const answer = await inject('DELETE', `/students/${unknownId}`)
    t.equal(answer.statusCode, status)
    t.equal(answer.json().status, status)
    t.equal(answer.headers['retry-after'], status === 503 ? '2' : undefined)
    t.equal(answer.json().detail.includes(error.message), status !== 500)
  }
})

t.test('an error of a repository shows nothing of itself', async (t) => {
  const fail = async () => { throw new Error('secret: mongodb://user:pass@host') }
  const { inject } = await build(t, { students: { create: fail, list: fail, find: fail, update: fail, delete: fail } })
  const answer = await inject('GET', '/students/')
  t.equal(answer.statusCode, 500)
  t.notMatch(answer.body, /secret|mongodb/)
  t.match(answer.json(), { title: 'Internal Server Error', detail: /^Something went wrong here \(request req-\w+\)\.$/ })
})

t.test('what stands behind a hash in the target is no part of Location or instance', async (t) => {
  const { inject } = await build(t)
  const created = await inject('POST', '/students/#x?y', janeDoe)
  t.equal(created.statusCode, 201)
  t.equal(created.headers.location, `/students/${created.json().id}`)
  t.equal((await inject('GET', `/students/${unknownId}#x`)).json().instance, `/students/${unknownId}`)
})

t.test('a text of megabytes is one fault where the limit on bodies lets it in', async (t) => {
  const { inject } = await build(t, { bodyLimit: 16_777_216 })
  for (const email of ['a'.repeat(8_000_000), `a@${'b.'.repeat(4_000_000)}c`]) {
    const answer = await inject('POST', '/students/', { ...janeDoe, email })
    t.equal(answer.statusCode, 422)
    t.strictSame(answer.json().errors, [{ pointer: '/email', detail: 'must NOT have more than 254 characters' }])
  }
})

t.test('a 503 is one line at warn with its cause, by its code where it has one, and at debug where nothing was tried', async (t) => {
  for (const [cause, level, logged] of [
    [Object.assign(new Error('secret'), { code: 91 }), 40, 'Error: 91'], [new TypeError('gone'), 40, 'TypeError: gone'], [undefined, 20, undefined]
  ] as const) {
    const lines: { level: number, cause?: string, msg: string }[] = []
    const stream = { write: (line: string) => { lines.push(JSON.parse(line)) } }
    const fail = async () => { throw new StoreUnavailableError('Try again later.', { cause }) }
    const { inject } = await build(t, { students: { create: fail, list: fail, find: fail, update: fail, delete: fail } }, { logger: { level: 'debug', stream } })
    t.equal((await inject('GET', '/students/')).statusCode, 503)
    const told = lines.filter(({ msg }) => msg.startsWith('The database is out of reach'))
    t.match(told, [{ level, ...(logged !== undefined && { cause: logged }) }])
    t.equal(told.length, 1)
    t.notMatch(JSON.stringify(lines), /secret|"stack"/)
  }
})
