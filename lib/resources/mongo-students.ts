import { setMaxListeners } from 'node:events'
import { ObjectId, type Collection, type Filter, type MongoServerError } from 'mongodb'
import { Batches } from '../mongodb/batch.js'
import { toOwnErrors } from '../mongodb/bulk-errors.js'
import { abortable, isSent } from '../mongodb/driver-options.js'
import { findRaw } from '../mongodb/find-raw.js'
import { RawList } from '../serialization/raw-document.js'
import { DUPLICATE_KEY, isDuplicateId, type StoreGuard } from '../mongodb/store-guard.js'
import { idOf, listable, STORED_FIELDS, toRawStudent, toStored, toStudent, type StudentDocument } from './student-document.js'
import type { StudentFields } from './student-fields.js'
import type { StudentRepository } from './student-repository.js'
import { LIST_LIMIT, type Student, type StudentCollection } from '../../schemas/student.js'

/** With more the batches get smaller; with one a read that hangs would hold up all others. */
const MAX_UNDER_WAY = 2

/** So that no batch holds up the next one for long. */
const MAX_ITEMS = 256
const MAX_BYTES = 1_048_576

/**
 * Students in a collection of MongoDB. Reads by id, creates and lists that come at the same time share a round trip.
 * Updates and deletes go alone, since no command tells what became of each of several.
 */
export class MongoStudents implements StudentRepository {
  #collection: Collection<StudentDocument>
  #guard: StoreGuard

  #reads = new Batches<string, Buffer | undefined>({
    send: async (ids, signal) => this.#readMany(ids, signal), maxUnderWay: MAX_UNDER_WAY, maxItems: MAX_ITEMS
  })

  #creates = new Batches<StudentDocument, undefined>({
    send: async (documents, signal) => this.#insertMany(documents, signal),
    maxUnderWay: MAX_UNDER_WAY,
    maxItems: MAX_ITEMS,
    maxBytes: MAX_BYTES,
    bytesOf: ({ name, email, course }) => 3 * (name.length + email.length + course.length), // the most that UTF-8 takes
    isSent
  })

  #lists = new Batches<undefined, Buffer[]>({
    send: async (callers, signal) => {
      const documents = listable(await this.#find({}, LIST_LIMIT, signal))
      return callers.map(() => documents)
    },
    maxUnderWay: 1,
    maxItems: Infinity
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

  async list (): Promise<StudentCollection> {
    // an object for each caller, since a hook of a host's may change what it is shown
    return RawList.under('students', await this.#guard.readIn(this.#lists, undefined), toStudent)
  }

  async find (id: string): Promise<Student | undefined> {
    const document = await this.#guard.readIn(this.#reads, id)
    return document && toRawStudent(document)
  }

  async update (id: string, changes: Partial<StudentFields>): Promise<Student | undefined> {
    if (Object.keys(changes).length === 0) return this.find(id)
    return this.#guard.write(async (signal) => {
      const document = await this.#updateOne(new ObjectId(id), changes, signal) ?? await this.#updateOne(id, changes, signal)
      return document && toRawStudent(document)
    })
  }

  async delete (id: string): Promise<boolean> {
    return this.#guard.write(async (signal) => await this.#deleteOne(new ObjectId(id), signal) || this.#deleteOne(id, signal))
  }

  /** The students with these ids, each in its place. Only where an id is not there as an ObjectId is it looked for as text. */
  async #readMany (ids: string[], signal: AbortSignal): Promise<(Buffer | undefined)[]> {
    const found = await this.#findById(Array.from(new Set(ids.map((id) => id.toLowerCase())), (id) => new ObjectId(id)), signal)
    const missing = Array.from(new Set(ids)).filter((id) => !found.has(id.toLowerCase()))
    const foundAsText = missing.length > 0 ? await this.#findById(missing, signal) : found
    return ids.map((id) => found.get(id.toLowerCase()) ?? foundAsText.get(id))
  }

  /** By the id as it is shown. */
  async #findById (ids: StudentDocument['_id'][], signal: AbortSignal): Promise<Map<string | undefined, Buffer>> {
    const [first, ...others] = ids
    const found = await this.#find({ _id: others.length > 0 ? { $in: ids } : first } as Filter<StudentDocument>, ids.length, signal)
    return new Map(found.map((bson) => [idOf(bson)?.text, bson]))
  }

  async #find (filter: Filter<StudentDocument>, limit: number, signal: AbortSignal): Promise<Buffer[]> {
    return findRaw(this.#collection, filter, { limit, signal, projection: STORED_FIELDS })
  }

  async #updateOne (_id: StudentDocument['_id'], changes: Partial<StudentFields>, signal: AbortSignal): Promise<Buffer | undefined> {
    const options = { returnDocument: 'after', raw: true, ...abortable(signal) } as const
    const document = await this.#collection.findOneAndUpdate({ _id }, { $set: toStored(changes) }, options)
    return (document ?? undefined) as object | undefined as Buffer | undefined // with raw: true the driver answers bytes, which its types do not say
  }

  async #deleteOne (_id: StudentDocument['_id'], signal: AbortSignal): Promise<boolean> {
    const { deletedCount } = await this.#collection.deleteOne({ _id }, abortable(signal))
    return deletedCount === 1
  }

  /** Stores the documents and answers with the error of each, or undefined. */
  async #insertMany (documents: StudentDocument[], signal: AbortSignal): Promise<(Error | undefined)[]> {
    const [first, ...others] = documents
    if (first && others.length === 0) return [await this.#insertOne(first, signal)]
    try {
      await this.#collection.insertMany(documents, { ordered: false, ...abortable(signal) })
      return documents.map(() => undefined)
    } catch (error) {
      return this.#askAlone(documents, toOwnErrors(error, documents.length), signal)
    }
  }

  /** The driver leaves out the fields of the index that refused a document; asked for alone, it tells them. */
  async #askAlone (documents: StudentDocument[], errors: (MongoServerError | undefined)[], signal: AbortSignal): Promise<(Error | undefined)[]> {
    setMaxListeners(documents.length, signal) // each of them listens to it
    return Promise.all(documents.map(async (document, index) =>
      errors[index]?.code === DUPLICATE_KEY ? this.#insertOne(document, signal) : errors[index]))
  }

  async #insertOne (document: StudentDocument, signal: AbortSignal): Promise<Error | undefined> {
    return this.#collection.insertOne(document, abortable(signal)).then(() => undefined, orOwnDuplicate)
  }
}

/** The `_id` of a new student was made for it, so one that is there already is this student, whose first answer was lost. */
function orOwnDuplicate (error: Error): Error | undefined {
  return isDuplicateId(error) ? undefined : error
}
