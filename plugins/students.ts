import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { ObjectId, type Collection } from 'mongodb'
import { abortable, BSON_OPTIONS } from '../lib/driver-options.js'
import type { StoreGuard } from '../lib/store-guard.js'
import { toStored, toStudent } from '../lib/student-document.js'
import type { StudentFields } from '../lib/student-fields.js'
import type { StudentRepository } from '../lib/student-repository.js'
import { LIST_LIMIT, type Student } from '../schemas/student.js'

declare module 'fastify' {
  interface FastifyInstance {
    students: StudentRepository
  }
}

class MongoStudents implements StudentRepository {
  #collection: Collection
  #guard: StoreGuard

  constructor (collection: Collection, guard: StoreGuard) {
    this.#collection = collection
    this.#guard = guard
  }

  async create (fields: StudentFields): Promise<Student> {
    const _id = new ObjectId()
    await this.#guard.write((signal) => this.#collection.insertOne({ _id, ...toStored(fields) }, abortable(signal)))
    return { id: _id.toHexString(), ...fields }
  }

  async list (): Promise<Student[]> {
    // one batch: the default of 101 documents would cost a getMore
    const options = { limit: LIST_LIMIT, batchSize: LIST_LIMIT }
    const documents = await this.#guard.read((signal) => this.#collection.find({}, { ...options, signal }).toArray())
    return documents.map(toStudent)
  }

  async find (id: string): Promise<Student | undefined> {
    const document = await this.#guard.read((signal) => this.#collection.findOne(byId(id), { signal }))
    return document ? toStudent(document) : undefined
  }

  async update (id: string, changes: Partial<StudentFields>): Promise<Student | undefined> {
    if (Object.keys(changes).length === 0) return this.find(id)
    const update = { $set: toStored(changes) }
    const document = await this.#guard.write((signal) =>
      this.#collection.findOneAndUpdate(byId(id), update, { ...abortable(signal), returnDocument: 'after' }))
    return document ? toStudent(document) : undefined
  }

  async delete (id: string): Promise<boolean> {
    const { deletedCount } = await this.#guard.write((signal) =>
      this.#collection.deleteOne(byId(id), abortable(signal)))
    return deletedCount === 1
  }
}

function byId (id: string) {
  return { _id: new ObjectId(id) }
}

async function students (app: FastifyInstance, { database = 'college' }: { database?: string | undefined }) {
  const collection = app.mongo.client.db(database).collection('students', BSON_OPTIONS)
  app.decorate('students', new MongoStudents(collection, app.storeGuard))
}

export default fp(students, { name: 'student-course-api-students', dependencies: ['student-course-api-mongodb'] })
