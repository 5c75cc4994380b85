// @ts-check
// The same below a prefix of a larger app, where a student has a year too: npm run build && node examples/courses/larger-app.js
import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import studentCourseApi, { extendResource, student } from 'student-course-api'
import { course } from './course.js'

const { PORT = '8000', DATA_DIR = './data', MONGODB_URL } = process.env

const pupil = extendResource(student, {
  fields: { year: Type.Optional(Type.Integer({ minimum: 1, maximum: 13, description: 'The school year.' })) },
  example: { year: 3 },
  collection: 'pupils'
})

const app = Fastify()
app.get('/', async () => ({ school: '/school/docs' }))
await app.register(studentCourseApi, { prefix: '/school', resources: [pupil, course], ...MONGODB_URL ? { url: MONGODB_URL } : { embedded: DATA_DIR } })

const url = await app.listen({ port: Number(PORT) })
console.log(`Students at ${url}/school/students/, courses at ${url}/school/courses/, docs at ${url}/school/docs`)
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => app.close())
