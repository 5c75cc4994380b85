// Compiled in a folder where the package is installed. Right use compiles, and each line after @ts-expect-error does not.
import Fastify from 'fastify'
import { MongoClient } from 'mongodb'
import studentCourseApi, {
  callerOf, CreateStudent, ProblemDetails, SetupError, Student, StudentCollection, StoreFullError, StoreUnavailableError, UpdateStudent,
  type AppOptions, type StudentFields, type StudentRepository
} from 'student-course-api'

class MapStudents implements StudentRepository {
  #students = new Map<string, Student>()

  async create (fields: StudentFields): Promise<Student> {
    if (this.#students.size === 1000) throw new StoreFullError()
    const student: Student = { id: String(this.#students.size).padStart(24, '0'), ...fields }
    this.#students.set(student.id, student)
    return student
  }

  async list () {
    return [...this.#students.values()]
  }

  async find (id: string) {
    return this.#students.get(id)
  }

  async update (id: string, changes: Partial<StudentFields>) {
    const student = this.#students.get(id)
    return student && Object.assign(student, changes)
  }

  async delete (id: string) {
    return this.#students.delete(id)
  }
}

const app = Fastify()
const students = new MapStudents()
const client = new MongoClient('mongodb://127.0.0.1')

// right use
await app.register(studentCourseApi)
await app.register(studentCourseApi, { prefix: '/a' })
await app.register(studentCourseApi, { prefix: '/b', url: 'mongodb://127.0.0.1', database: 'evening', timeoutMs: 500 })
await app.register(studentCourseApi, { client })
await app.register(studentCourseApi, { embedded: './data', docs: false, bodyLimit: 1024, operationIdPrefix: 'x_' })
await app.register(studentCourseApi, { students, logLevel: 'warn' })
await app.register(studentCourseApi, { url: process.env.MONGODB_URL })
const options: AppOptions = { students }
await app.register(async (school) => school.register(studentCourseApi, options))
await app.register(studentCourseApi, {
  extend: async (scope, { repositories: { students } }) => {
    scope.get('/one', { config: { access: { scope: 'students:read' } } }, async (request) => ({ student: await students?.find('66b3f0a1c2d4e5f601234567'), by: callerOf(request)?.username }))
  }
})

// what a program can build on
const fields: CreateStudent = { name: 'Jane Doe', email: 'jdoe@example.com', course: 'Nanophotonics', gpa: '3.0' }
const changes: UpdateStudent = { gpa: null }
const shown: Student = { id: '66b3f0a1c2d4e5f601234567', gpa: 3 }
const schemas: object[] = [CreateStudent, UpdateStudent, Student, StudentCollection, ProblemDetails]
const failures: Error[] = [new SetupError('x'), new StoreUnavailableError('Nothing was changed.')]

// wrong use
// @ts-expect-error a URL is text
await app.register(studentCourseApi, { url: 5 })
// @ts-expect-error there is no such option
await app.register(studentCourseApi, { colour: 'red' })
// @ts-expect-error a folder, not yes or no
await app.register(studentCourseApi, { embedded: true })
// @ts-expect-error a URL is not a client
await app.register(studentCourseApi, { client: 'mongodb://127.0.0.1' })
const { create, list, find, update } = students
// @ts-expect-error a repository without delete
await app.register(studentCourseApi, { students: { create, list, find, update } })
// @ts-expect-error a repository that makes no student
await app.register(studentCourseApi, { students: { ...students, create: async () => 'Jane Doe' } })
// @ts-expect-error a student has a course
const partial: CreateStudent = { name: 'Jane Doe', email: 'jdoe@example.com', gpa: 3 }
// @ts-expect-error other software may have stored a student without one
const gpa: number = shown.gpa

// The plugin is encapsulated: neither values nor types of it reach the app that registers it.
declare module 'fastify' {
  interface FastifyInstance {
    /** A decorator of this app's own, which happens to have the name of one inside the plugin. */
    students: Set<string>
  }
}
app.decorate('students', new Set(['Jane Doe']))
// @ts-expect-error this app has no MongoDB of its own
const { mongo } = app
// @ts-expect-error nor the plugin's guard
const { storeGuard } = app
// @ts-expect-error nor its routes' helper
const { closePaths } = app

export { changes, closePaths, failures, fields, gpa, mongo, partial, schemas, storeGuard }
