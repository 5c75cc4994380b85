import { MongoError } from './errors.js'

/** The store's file is damaged. What is wrong is told without the file's name, which the one who catches it knows. */
export class DamagedFile extends Error {
  override readonly name = 'DamagedFile'
}

/** One value is damaged, and no other suffers from it. `what` names it: a document, an index entry, a collection's description. */
export class DamagedValue extends MongoError {
  constructor (readonly what: string) {
    super('DataCorruptionDetected', `The embedded store has damaged data, ${what}: restore it from a backup`)
  }
}
