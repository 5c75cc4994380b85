// @ts-check
// A larger app, with routes, errors and documentation of its own, that holds the Student Course API twice:
//
//   npm run build && node examples/larger-app.js
//   MONGODB_URL=mongodb://127.0.0.1:27017 node examples/larger-app.js

import { join } from 'node:path'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import Fastify from 'fastify'
import studentCourseApi from 'student-course-api'

const { PORT = '8000', DATA_DIR = './data', MONGODB_URL } = process.env

const app = Fastify({ logger: { level: 'warn' } })

// The app's own answers for errors and unknown paths. Below its prefixes the plugin answers errors as problem details.
app.setErrorHandler((/** @type {import('fastify').FastifyError} */ error, request, reply) => {
  const { statusCode = 500, message } = error
  if (statusCode >= 500) request.log.error(error)
  reply.code(statusCode).send({ failed: statusCode >= 500 ? 'Something went wrong' : message })
})
app.setNotFoundHandler((_request, reply) => {
  reply.code(404).send({ failed: 'No such page' })
})

// The app's own document: it shows the app's routes and those of the plugin, whose schemas are of OpenAPI 3.1.
await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'A larger app', version: '1.0.0' } } })
await app.register(swaggerUi, { routePrefix: '/documentation' })

const rooms = {
  querystring: { type: 'object', properties: { floor: { type: 'integer' } } }
}
app.get('/rooms', { schema: { operationId: 'listRooms', summary: 'List Rooms', ...rooms } }, async (request) => {
  const { floor = 1 } = /** @type {{ floor?: number }} */ (request.query)
  return { rooms: [`${floor}01`, `${floor}02`] }
})

// The plugin, once for each school: with a database, an operationId prefix and a docs page of its own.
for (const school of ['college', 'evening']) {
  await app.register(studentCourseApi, { prefix: `/${school}`, ...store(school) })
}

const url = await app.listen({ port: Number(PORT) })
console.log(`The app's documentation at ${url}/documentation
College: students at ${url}/college/students/, docs at ${url}/college/docs
Evening school: students at ${url}/evening/students/, docs at ${url}/evening/docs`)

// Closing answers the requests under way, then closes what the plugin opened; a second signal ends the process at once.
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => app.close())

/**
 * One MongoDB server holds many databases; an embedded store belongs to one registration.
 * @param {string} database
 */
function store (database) {
  return MONGODB_URL ? { url: MONGODB_URL, database } : { embedded: join(DATA_DIR, database), database }
}
