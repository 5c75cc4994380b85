import { ObjectId } from 'mongodb'

/** The count at the end of an ObjectId has 24 bits. */
const COUNTS = 0x100_0000

/** Ids that are reserved for records that are to come. From the first one follow all, so a second try gives each record the same one. */
export class IdRun {
  readonly first: ObjectId

  constructor (first: ObjectId) {
    this.first = first
  }

  /** A run of its own: no other process has these random bytes in this second. */
  static begin (): IdRun {
    const id = new ObjectId()
    const bytes = Buffer.from(id.id)
    crypto.getRandomValues(bytes.subarray(4, 9))
    bytes.fill(0, 9)
    return new IdRun(new ObjectId(bytes))
  }

  /** The id of the nth record, from 0; beyond the count, those of the seconds that follow. */
  at (n: number): string {
    const bytes = Buffer.from(this.first.id)
    bytes.writeUInt32BE(bytes.readUInt32BE(0) + Math.floor(n / COUNTS), 0)
    bytes.writeUIntBE(n % COUNTS, 9, 3)
    return bytes.toString('hex')
  }
}
