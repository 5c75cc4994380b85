/** A stored document as the driver's bytes, which the compiled serializers write as JSON without an object in between. */
export class RawDocument {
  readonly bson: Buffer

  constructor (bson: Buffer) {
    this.bson = bson
  }
}
