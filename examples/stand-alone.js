// @ts-check
// A Fastify app with nothing but the Student Course API, on its embedded store:
//
//   npm run build && node examples/stand-alone.js

import Fastify from 'fastify'
import studentCourseApi from 'student-course-api'

const { PORT = '8000', DATA_DIR = './data' } = process.env

const app = Fastify()

// The store is a folder of this machine. For a MongoDB server, pass its `url` in place of `embedded`.
await app.register(studentCourseApi, { embedded: DATA_DIR })

const url = await app.listen({ port: Number(PORT) })
console.log(`Students at ${url}/students/, docs at ${url}/docs`)

// Closing answers the requests under way, then closes the store; a second signal ends the process at once.
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => app.close())
