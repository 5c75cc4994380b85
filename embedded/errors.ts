/**
 * MongoDB's error codes that this store answers with: name to number.
 * Source: src/mongo/base/error_codes.yml of MongoDB 7.0; a code without a name of its own there is called Location<code>.
 */
export const codes = {
  InternalError: 1,
  BadValue: 2,
  FailedToParse: 9,
  Unauthorized: 13,
  TypeMismatch: 14,
  Overflow: 15,
  InvalidLength: 16,
  IllegalOperation: 20,
  InvalidBSON: 22,
  NamespaceNotFound: 26,
  ConflictingUpdateOperators: 40,
  CursorNotFound: 43,
  DollarPrefixedFieldName: 52,
  InvalidIdField: 53,
  NotSingleValueField: 54,
  EmptyFieldName: 56,
  CommandNotFound: 59,
  ImmutableField: 66,
  CannotCreateIndex: 67,
  InvalidOptions: 72,
  InvalidNamespace: 73,
  IndexOptionsConflict: 85,
  IndexKeySpecsConflict: 86,
  CommandNotSupported: 115,
  InvalidIndexSpecificationOption: 197,
  QueryExceededMemoryLimitNoDiskUseAllowed: 292,
  DataCorruptionDetected: 301,
  APIVersionError: 322,
  APIStrictError: 323,
  UnsupportedOpQueryCommand: 352,
  DuplicateKey: 11000,
  OutOfDiskSpace: 14031,
  Location15948: 15948,
  Location15958: 15958,
  Location15959: 15959,
  Location15975: 15975,
  Location16410: 16410,
  Location17419: 17419,
  Location40156: 40156,
  Location40157: 40157,
  Location40158: 40158,
  Location40159: 40159,
  Location40160: 40160,
  Location40323: 40323,
  Location40324: 40324,
  Location40352: 40352,
  IDLDuplicateField: 40413,
  IDLFailedToParse: 40414,
  IDLUnknownField: 40415,
  Location4886600: 4886600,
  Location5107201: 5107201
} as const

export type CodeName = keyof typeof codes

/** An error that goes to the client as MongoDB would send it. `details` are further fields, such as keyValue. */
export class MongoError extends Error {
  override readonly name = 'MongoError'
  readonly codeName: CodeName
  readonly code: number
  readonly details: Record<string, unknown>

  constructor (codeName: CodeName, message: string, details: Record<string, unknown> = {}) {
    super(message)
    this.codeName = codeName
    this.code = codes[codeName]
    this.details = details
  }
}

/** The client broke the protocol itself: its connection is closed, since nothing after this can be read with trust. */
export class WireError extends Error {
  override readonly name = 'WireError'
}
