import { EJSON } from 'bson'
import { MongoBulkWriteError, MongoClient, MongoServerError, type Collection, type Document } from 'mongodb'

/** Types as they were sent: what a driver would turn into JavaScript's own numbers stays what it is. */
export const exact = { promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true, ignoreUndefined: true }

const strictApi = { version: '1', strict: true, deprecationErrors: true } as const

/** What a server says about itself and the cluster's time: another on each. */
const ownFields = ['$clusterTime', 'operationTime', 'electionId', 'opTime', 'localTime', 'connectionId']

/** One of the two servers that are compared. */
export class Side {
  readonly url: string
  /** With the Stable API, strict. */
  readonly client: MongoClient
  /** Without. */
  readonly loose: MongoClient
  /** The commands of the case under way, as the driver sent them. */
  sent: Document[] = []

  constructor (url: string) {
    this.url = url
    this.client = new MongoClient(url, { serverApi: strictApi, monitorCommands: true, ...exact })
    this.loose = new MongoClient(url, { monitorCommands: true, ...exact })
    for (const client of [this.client, this.loose]) client.on('commandStarted', ({ command }) => this.sent.push(command))
  }

  /** A bare command; the reply without what is the server's own, its cursor's id as whether there is one. */
  async command (command: Document, { loose = false } = {}): Promise<Document> {
    const reply = await (loose ? this.loose : this.client).db(database).command(command, exact)
    return withoutOwn(reply)
  }

  collection (name: string): Collection {
    return this.client.db(database).collection(name)
  }

  async close (): Promise<void> {
    await this.client.close()
    await this.loose.close()
  }
}

export const database = 'test_conformance'

function withoutOwn (reply: Document): Document {
  const { writeErrors, ...rest } = reply
  const shown = Object.fromEntries(Object.entries(rest).filter(([name]) => !ownFields.includes(name)).sort(([a], [b]) => a < b ? -1 : 1))
  if (writeErrors === undefined) return shown
  return { ...shown, writeErrors: writeErrors.map(({ index, code, keyPattern, keyValue }: Document) => ({ index, code, keyPattern, keyValue })) }
}

/** What came of a case, as text that is equal where MongoDB's answer is the same. */
export async function outcomeOf (work: () => Promise<unknown>): Promise<string> {
  try {
    return textOf(await work())
  } catch (error) {
    if (!(error instanceof MongoServerError)) throw error
    return textOf({ error: errorOf(error) })
  }
}

function errorOf (error: MongoServerError): Document {
  const { code, codeName, keyPattern, keyValue } = error.errorResponse
  if (!(error instanceof MongoBulkWriteError)) return { code, codeName, keyPattern, keyValue }
  const { insertedCount, deletedCount } = error
  return { insertedCount, deletedCount, writeErrors: [error.writeErrors].flat().map(({ index, code }) => ({ index, code })) }
}

export function textOf (value: unknown): string {
  return EJSON.stringify(value, { relaxed: false })
}

/** Documents in no order: equal when the same ones are there. */
export function asSet (documents: unknown[]): string[] {
  return documents.map(textOf).sort()
}
