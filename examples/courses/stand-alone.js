// @ts-check
// The students, and courses beside them: npm run build && node examples/courses/stand-alone.js
import Fastify from 'fastify'
import studentCourseApi from 'student-course-api'
import { course } from './course.js'

const { PORT = '8000', DATA_DIR = './data', MONGODB_URL } = process.env

const app = Fastify()
await app.register(studentCourseApi, { resources: [course], ...MONGODB_URL ? { url: MONGODB_URL } : { embedded: DATA_DIR } })

const url = await app.listen({ port: Number(PORT) })
console.log(`Students at ${url}/students/, courses at ${url}/courses/, docs at ${url}/docs`)
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => app.close())
