import { Validator } from '@seriousme/openapi-schema-validator'
import t from 'tap'
import { build } from '../build.js'
import { janeDoe, unknownId } from '../samples.js'

const { app, inject } = await build(t)
const document = (await inject('GET', '/openapi.json')).json()

/** An answer of an operation, wherever it stands. */
const responseOf = ({ $ref, ...response }: any, { components } = document) => $ref ? components.responses[$ref.slice('#/components/responses/'.length)] : response

t.test('the document is valid OpenAPI 3.1', async (t) => {
  const validator = new Validator()
  t.strictSame(await validator.validate(structuredClone(document)), { valid: true })
  t.equal(validator.version, '3.1')
  const broken = { ...structuredClone(document), paths: { '/x': { get: { responses: 5 } } } }
  t.equal((await new Validator().validate(broken)).valid, false, 'the validator does find faults')
})

t.test('the document says whose it is', async (t) => {
  t.equal(document.info.title, 'Student Course API')
  t.strictSame(document.tags.map(({ name }: { name: string }) => name), ['students', 'users'])
})

t.test('each operation has its name, id and tag', async (t) => {
  const operations = Object.entries<Record<string, any>>(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      [method, path, operation.operationId, operation.summary, operation.tags.join()].join(' ')))
  t.strictSame(operations, [
    'post /students/ createStudent Create Student students',
    'get /students/ listStudents List Students students',
    'post /students/batch batchStudents Change Students students',
    'post /students/import importStudents Import Students students',
    'get /students/export exportStudents Export Students students',
    'get /students/{id} showStudent Show Student students',
    'put /students/{id} updateStudent Update Student students',
    'patch /students/{id} patchStudent Patch Student students',
    'delete /students/{id} deleteStudent Delete Student students',
    'get /users/{username} showUser Show User users'
  ])
})

t.test('each operation says what a newcomer has to know', async (t) => {
  const { '/students/': all, '/students/{id}': one } = document.paths
  t.match(all.post.description, /server assigns the id/)
  t.match(all.get.description, /`next` and the header Link lead on/)
  t.match(one.put.description, /Changes the given fields.*null counts as not given/)
  t.match(one.delete.description, /204, without a body/)
})

t.test('each operation lists every status that it can answer with, errors as problem details', async (t) => {
  const statuses = (path: string, method: string) => Object.keys(document.paths[path][method].responses).join(' ')
  t.equal(statuses('/students/', 'post'), '201 400 409 413 415 422 500 503 507')
  t.equal(statuses('/students/', 'get'), '200 304 400 422 500 503')
  t.equal(statuses('/students/batch', 'post'), '207 400 409 413 415 422 500 503 507')
  t.equal(statuses('/students/import', 'post'), '200 400 406 409 415 422 500 503 507')
  t.equal(statuses('/students/export', 'get'), '200 400 406 422 500 503')
  t.equal(statuses('/students/{id}', 'get'), '200 304 400 404 422 500 503')
  t.equal(statuses('/students/{id}', 'put'), '200 204 400 404 409 412 413 415 422 500 503 507')
  t.equal(statuses('/students/{id}', 'patch'), '200 204 400 404 409 412 413 415 422 500 503 507')
  t.equal(statuses('/students/{id}', 'delete'), '204 400 404 412 413 415 422 500 503 507')
  t.equal(statuses('/users/{username}', 'get'), '200 400 404 422 500 503')
  for (const operation of Object.values<any>(document.paths).flatMap((methods) => Object.values<any>(methods))) {
    for (const [status, response] of Object.entries<any>(operation.responses)) {
      if (status < '400') continue
      const { content, headers } = responseOf(response)
      t.strictSame(Object.keys(content), ['application/problem+json'])
      t.match(content['application/problem+json'].schema.$ref, /^#\/components\/schemas\/(ProblemDetails|ImportProblem)$/)
      if (status === '503') t.ok(headers['Retry-After'])
    }
  }
})

t.test('an error that several operations answer alike stands once', async (t) => {
  const { responses } = document.components
  t.ok(['BadRequest', 'InternalServerError', 'ServiceUnavailable', 'InsufficientStorage'].every((name) => name in responses))
  const operations = Object.values<any>(document.paths).flatMap((methods) => Object.values<any>(methods))
  const inline: string[] = []
  for (const [status, response] of operations.flatMap(({ responses }) => Object.entries<any>(responses))) {
    const { instance, ...example } = responseOf(response).content?.['application/problem+json']?.example ?? {}
    if (status < '400') t.notOk(response.$ref)
    else if (response.$ref) t.equal(example.status, Number(status))
    else inline.push(JSON.stringify({ ...response, content: { ...example } }))
  }
  t.equal(new Set(inline).size, inline.length)
  t.ok(inline.length < 10, `${inline.length} errors stand where they are answered`)
})

t.test('the shapes are components, each described', async (t) => {
  const { schemas } = document.components
  t.strictSame(Object.keys(schemas).sort(),
    ['BatchResults', 'CreateStudentModel', 'ImportProblem', 'ImportSummary', 'OperationProblem', 'PatchStudentModel', 'ProblemDetails', 'StudentBatch', 'StudentCollection', 'StudentModel', 'UpdateStudentModel', 'User'])
  for (const [name, schema] of Object.entries<any>(schemas)) t.match(schema.description, /^[A-Z].*\.$/, name)
  t.equal(schemas.StudentCollection.properties.students.maxItems, 1000)
  t.equal(schemas.StudentCollection.properties.students.items.$ref, '#/components/schemas/StudentModel')
  t.strictSame(schemas.StudentModel.required, ['id'])
  t.strictSame(schemas.CreateStudentModel.required, ['name', 'email', 'course', 'gpa'])
  t.notOk('required' in schemas.UpdateStudentModel)
})

t.test('Jane Doe is the example of every student, and can be sent as she is', async (t) => {
  const expected = { ...janeDoe, gpa: 3.0 }
  const { '/students/': all, '/students/{id}': one } = document.paths
  const bodies = [all.post, one.put].map(({ requestBody }) => requestBody.content['application/json'].example)
  t.strictSame(bodies, [expected, expected])

  const shown = [all.post.responses[201], one.get.responses[200], one.put.responses[200]]
  for (const { content } of shown) t.match(content['application/json'].example, { id: /^[0-9a-f]{24}$/, ...expected })
  t.match(all.get.responses[200].content['application/json'].example.students, [expected])

  const created = await inject('POST', '/students/', bodies[0])
  t.equal(created.statusCode, 201)
  t.match((await inject('PUT', `/students/${created.json().id}`, bodies[1])).json(), expected)
})

t.test('the document tells of Location and of no hidden route', async (t) => {
  t.ok(document.paths['/students/'].post.responses[201].headers.Location)
  t.strictSame(Object.keys(document.paths), ['/students/', '/students/batch', '/students/import', '/students/export', '/students/{id}', '/users/{username}'])
})

t.test('Swagger UI is served with all its files from here', async (t) => {
  const page = await inject('GET', '/docs')
  t.equal(page.statusCode, 200)
  t.match(page.headers['content-type'], /text\/html/)
  const files = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => String(file))
  t.ok(files.length >= 4)
  for (const file of files) {
    t.notMatch(file, /^https?:|^\/\//)
    t.equal((await inject('GET', new URL(file, 'http://x/docs').pathname)).statusCode, 200, file)
  }
  const settings = await inject('GET', '/docs/static/swagger-initializer.js')
  t.match(settings.body, /"validatorUrl":\s*null/)
})

t.test('an answer holds nothing but what its schema names', async (t) => {
  const student = { id: unknownId, ...janeDoe, password: 'secret' }
  const answer = async () => student
  const { inject } = await build(t, {
    students: { create: answer, find: answer, update: answer, list: async () => [student], delete: async () => true }
  })
  for (const [method, path, body] of [['POST', '/students/', janeDoe], ['GET', '/students/', undefined],
    ['GET', `/students/${unknownId}`, undefined], ['PUT', `/students/${unknownId}`, {}]] as const) {
    const { body: text } = await inject(method, path, body)
    t.match(text, /Jane Doe/)
    t.notMatch(text, /secret/)
  }
})

t.test('the example of an error is what the route answers', async (t) => {
  const path = `/students/${unknownId}`
  const shownId = '66b3f0a1c2d4e5f601234567'
  const examples = (template: string, method: string, status: number) =>
    responseOf(document.paths[template][method].responses[status]).content['application/problem+json'].example
  const large = JSON.stringify({ ...janeDoe, name: 'x'.repeat(70_000) })
  const asText = { method: 'POST', url: '/students/', headers: { 'content-type': 'text/plain' }, payload: 'x' } as const
  for (const [template, method, status, answer] of [
    ['/students/', 'post', 400, await inject('POST', '/students/', '{')],
    ['/students/', 'post', 413, await inject('POST', '/students/', large)],
    ['/students/', 'post', 415, await app.inject(asText)],
    ['/students/', 'post', 422, await inject('POST', '/students/', { ...janeDoe, gpa: 5 })],
    ['/students/{id}', 'get', 404, await inject('GET', path)],
    ['/students/{id}', 'put', 404, await inject('PUT', path, { name: 'x' })],
    ['/students/{id}', 'put', 422, await inject('PUT', path, { gpa: 5 })],
    ['/students/{id}', 'delete', 404, await inject('DELETE', path)],
    ['/users/{username}', 'get', 404, await inject('GET', '/users/johndoe')]
  ] as const) {
    t.equal(answer.statusCode, status)
    // an error that several answer alike has the path of one of them
    const { instance } = examples(template, method, status)
    t.strictSame({ ...JSON.parse(answer.body.replaceAll(unknownId, shownId)), instance }, examples(template, method, status), `${method} ${template} ${status}`)
  }
  const malformed = (await inject('GET', '/students/x')).json()
  t.strictSame({ ...malformed, instance: '' }, { ...examples('/students/{id}', 'get', 422), instance: '' })
  for (const [template, methods] of Object.entries<any>(document.paths)) {
    for (const { responses } of Object.values<any>(methods)) {
      for (const { content } of Object.values<any>(responses)) {
        const example = content?.['application/problem+json']?.example // not of those that are shared
        if (example) t.equal(example.instance, template.replace('{id}', shownId).replace('{username}', 'johndoe'))
      }
    }
  }
})

t.test('what the page fills into a form locks nobody out and asks for no scope', async (t) => {
  const { inject } = await build(t, { auth: { keys: ['x'.repeat(32)] } })
  const { components, paths } = (await inject('GET', '/openapi.json')).json()
  t.strictSame(paths['/users/{username}'].put.requestBody.content['application/json'].example, { full_name: 'John Doe' })
  const newUser = paths['/users/'].post.requestBody.content['application/json'].example
  t.equal((await inject('POST', '/users/', newUser)).statusCode, 401, 'and a new user can be sent as it is, with a token')
  const { properties } = components.schemas.TokenRequest
  for (const name of ['username', 'refresh_token', 'scope']) t.equal(properties[name].default, '', name)
  t.match(responseOf(paths['/students/'].post.responses[403], { components }).content['application/problem+json'].example, { detail: 'This requires the scope students:write.', instance: '/students/' })
})
