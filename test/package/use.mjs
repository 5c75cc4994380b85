// Runs in a folder where the package is installed: creates a student and reads it again.
import Fastify from 'fastify'
import studentCourseApi from 'student-course-api'

const app = Fastify()
await app.register(studentCourseApi, { prefix: '/college', embedded: 'store' })

const payload = { name: 'Jane Doe', email: 'jdoe@example.com', course: 'Nanophotonics', gpa: 3 }
const created = await app.inject({ method: 'POST', url: '/college/students/', payload })
const shown = await app.inject(String(created.headers.location))
const { info } = (await app.inject('/college/openapi.json')).json()
await app.close()

console.log(JSON.stringify({ created: created.statusCode, shown: shown.json(), version: info.version }))
