import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { BSON_OPTIONS } from '../lib/mongodb/driver-options.js'
import { MongoStudents } from '../lib/resources/mongo-students.js'
import type { StudentDocument } from '../lib/resources/student-document.js'
import type { StudentRepository } from '../lib/resources/student-repository.js'

declare module 'fastify' {
  interface FastifyInstance {
    students: StudentRepository
  }
}

async function students (app: FastifyInstance, { database = 'college' }: { database?: string | undefined }) {
  const collection = app.mongo.client.db(database).collection<StudentDocument>('students', BSON_OPTIONS)
  app.decorate('students', new MongoStudents(collection, app.storeGuard))
}

export default fp(students, { name: 'student-course-api-students', dependencies: ['student-course-api-mongodb'] })
