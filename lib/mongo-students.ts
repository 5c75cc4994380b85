import { onDemand } from 'bson'
import { ObjectId, type Collection, type Filter } from 'mongodb'
import { Batches } from './batch.js'
import type { BsonElement } from './bson.js'
import { toOwnErrors } from './bulk-errors.js'
import { findRaw } from './find-raw.js'
import { DUPLICATE_KEY, type StoreGuard } from './store-guard.js'
import { RawStudent, toStored, type StudentDocument } from './student-document.js'
import type { StudentFields } from './student-fields.js'
import type { StudentRepository } from './student-repository.js'
import { LIST_LIMIT, type Student } from '../schemas/student.js'

interface Update {
  id: string
  changes: Partial<StudentFields>
}

/** With more the batches get smaller; with one a read that hangs would hold up all others. */
const MAX_UNDER_WAY = 2

/** So that those which hang leave connections, of which the driver has 100, until it finds the server gone. */
const MAX_ALONE = 32

/** So that no batch holds up the next one for long. */
const MAX_ITEMS = 256
const MAX_BYTES = 1_048_576

/**
 * Students in a collection of MongoDB. Reads by id, creates and lists that come at the same time share a round trip.
 * The batches keep the time limits: a signal would end an operation of the driver's as well, but takes it an eighth more time.
 */
export class MongoStudents implements StudentRepository {
  #collection: Collection<StudentDocument>
  #guard: StoreGuard

  #reads = new Batches<string, RawStudent | undefined>({
    send: async (ids) => this.#readMany(ids), maxUnderWay: MAX_UNDER_WAY, maxItems: MAX_ITEMS
  })

  #creates = new Batches<StudentDocument, undefined>({
    send: async (documents) => this.#insertMany(documents),
    maxUnderWay: MAX_UNDER_WAY,
    maxItems: MAX_ITEMS,
    maxBytes: MAX_BYTES,
    bytesOf: ({ name, email, course }) => 3 * (name.length + email.length + course.length) // the most that UTF-8 takes
  })

  #lists = new Batches<undefined, RawStudent[]>({
    send: async (callers) => {
      const students = await this.#find({}, LIST_LIMIT)
      return callers.map(() => students)
    },
    maxUnderWay: 1,
    maxItems: Infinity
  })

  // these go alone, since no command tells what became of each of several
  #updates = new Batches<Update, RawStudent | undefined>({
    send: async (updates) => Promise.all(updates.map((update) => this.#updateOne(update))), maxUnderWay: MAX_ALONE, maxItems: 1
  })

  #deletes = new Batches<string, boolean>({
    send: async (ids) => Promise.all(ids.map((id) => this.#deleteOne(id))), maxUnderWay: MAX_ALONE, maxItems: 1
  })

  constructor (collection: Collection<StudentDocument>, guard: StoreGuard) {
    this.#collection = collection
    this.#guard = guard
  }

  async create (fields: StudentFields): Promise<Student> {
    const _id = new ObjectId()
    await this.#guard.writeIn(this.#creates, { _id, ...toStored(fields) })
    return { id: _id.toHexString(), ...fields }
  }

  async list (): Promise<RawStudent[]> {
    return this.#guard.readIn(this.#lists, undefined)
  }

  async find (id: string): Promise<RawStudent | undefined> {
    return this.#guard.readIn(this.#reads, id.toLowerCase())
  }

  async update (id: string, changes: Partial<StudentFields>): Promise<RawStudent | undefined> {
    if (Object.keys(changes).length === 0) return this.find(id)
    return this.#guard.writeIn(this.#updates, { id, changes })
  }

  async delete (id: string): Promise<boolean> {
    return this.#guard.writeIn(this.#deletes, id)
  }

  /** The students with these ids, each in its place. */
  async #readMany (ids: string[]): Promise<(RawStudent | undefined)[]> {
    const [first = '', ...others] = new Set(ids)
    const filter = others.length > 0 ? { _id: { $in: [first, ...others].map((id) => new ObjectId(id)) } } : byId(first)
    const found = await this.#find(filter, others.length + 1)
    const byHex = new Map(found.map((student) => [hexId(student.bson), student]))
    return ids.map((id) => byHex.get(id))
  }

  async #find (filter: Filter<StudentDocument>, limit: number): Promise<RawStudent[]> {
    const documents = await findRaw(this.#collection, filter, limit)
    return documents.map((bson) => new RawStudent(bson))
  }

  async #updateOne ({ id, changes }: Update): Promise<RawStudent | undefined> {
    const document = await this.#collection.findOneAndUpdate(byId(id), { $set: toStored(changes) }, { returnDocument: 'after', raw: true })
    // with raw: true the driver answers bytes, which its types do not say
    return document ? new RawStudent(document as object as Buffer) : undefined
  }

  async #deleteOne (id: string): Promise<boolean> {
    const { deletedCount } = await this.#collection.deleteOne(byId(id))
    return deletedCount === 1
  }

  /** Stores the documents and answers with the error of each, or undefined. */
  async #insertMany (documents: StudentDocument[]): Promise<(Error | undefined)[]> {
    if (documents.length === 1) return Promise.all(documents.map(async (document) => this.#insertOne(document)))
    try {
      await this.#collection.insertMany(documents, { ordered: false })
      return documents.map(() => undefined)
    } catch (error) {
      const errors = toOwnErrors(error, documents.length)
      // the driver leaves out the fields of the index that refused a document; asked for alone, it tells them
      return Promise.all(documents.map(async (document, index) =>
        errors[index]?.code === DUPLICATE_KEY ? this.#insertOne(document) : errors[index]))
    }
  }

  async #insertOne (document: StudentDocument): Promise<Error | undefined> {
    return this.#collection.insertOne(document).then(() => undefined, (error) => error)
  }
}

function byId (id: string) {
  return { _id: new ObjectId(id) }
}

/** The id of a student that was found by its ObjectId. */
function hexId (bson: Buffer): string | undefined {
  const isId = ([, nameOffset, nameLength]: BsonElement) => bson.toString('latin1', nameOffset, nameOffset + nameLength) === '_id'
  const id = Array.from(onDemand.parseToElements(bson)).find(isId)
  return id && bson.toString('hex', id[3], id[3] + 12)
}
