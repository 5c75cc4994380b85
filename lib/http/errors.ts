import createError from '@fastify/error'

/** Every error that this project throws on purpose. The errors plugin shows their messages; those of others only below 500. */

/** `what` begins a sentence: Student, User. */
export const RecordNotFoundError = createError<[what: string, id: string]>('SCA_NOT_FOUND', '%s %s not found', 404)

/** The condition of a request does not hold (RFC 9110 section 15.5.13). */
export const PreconditionFailedError = createError<[reason: string]>('SCA_PRECONDITION_FAILED', '%s Nothing was changed.', 412)

/** A repository of a host's that does not obey conditions: to ignore one would overwrite what the client wants to keep. */
export const NoConditionsError = createError<[]>('SCA_NO_CONDITIONS', 'These records cannot be changed under a condition: If-Match is not supported.', 501)

/** RFC 6585 section 3. */
export const PreconditionRequiredError = createError<[]>(
  'SCA_PRECONDITION_REQUIRED', 'This requires the header If-Match with the ETag of the record that is to be changed.', 428)

export const MalformedBodyError = createError<[]>('SCA_MALFORMED_BODY', 'The body is not well-formed UTF-8.', 400)

/** `types` are the media types that the route takes. */
export const UnsupportedMediaTypeError = createError<[types: string]>(
  'SCA_UNSUPPORTED_MEDIA_TYPE', 'The body must be %s in UTF-8, without a content coding.', 415)

/** A conflict that was answered before, with what was said then. */
export const ConflictError = createError<[detail: string]>('SCA_CONFLICT', '%s', 409)

/** The header Idempotency-Key holds no key. */
export const MalformedKeyError = createError<[]>(
  'SCA_MALFORMED_KEY', 'Idempotency-Key must be 1 to 255 visible ASCII characters, bare or as a quoted string.', 400)

/** Another request with this Idempotency-Key is being worked on, or ended without a word a moment ago. */
export const KeyInUseError = createError<[]>('SCA_KEY_IN_USE', 'A request with this Idempotency-Key is still being worked on.', 409)

/** The Idempotency-Key was sent with another body or media type. */
export const KeyReusedError = createError<[]>(
  'SCA_KEY_REUSED', 'This Idempotency-Key was sent with another body before: a new request needs a key of its own. Nothing was changed.', 422)

/** A repository of a host's that cannot make a record with an id that is given. */
export const NoKeysError = createError<[]>('SCA_NO_KEYS', 'These records cannot be created under an Idempotency-Key.', 501)

/** The client takes none of the media types that the route can answer with (RFC 9110 section 15.5.7). */
export const NotAcceptableError = createError<[types: string]>('SCA_NOT_ACCEPTABLE', 'The answer can be %s.', 406)

/** A unique index of the collection, which the API itself does not make, refuses the write. */
export const DuplicateKeyError = createError<[fields: string]>(
  'SCA_DUPLICATE_KEY', 'A record with this %s already exists.', 409)

/** The collection has a validator of its own, which the API does not make, and it refuses the write. */
export const DocumentRefusedError = createError<[]>(
  'SCA_DOCUMENT_REFUSED', 'The validation rules of the database collection reject this record. Nothing was changed.', 422)

export const MethodNotAllowedError = createError<[method: string, allow: string]>(
  'SCA_METHOD_NOT_ALLOWED', '%s is not allowed here; allowed: %s', 405)

/** A protected route, and no token in the header Authorization (RFC 6750 section 3). */
export const MissingTokenError = createError<[]>('SCA_MISSING_TOKEN', 'This requires an access token in the Authorization header.', 401)

export const InvalidTokenError = createError<[]>('SCA_INVALID_TOKEN', 'The access token is invalid.', 401)

/** A token of ours whose time is over: a new one, or a refresh token, helps (RFC 6750 section 3.1). */
export const ExpiredTokenError = createError<[]>('SCA_EXPIRED_TOKEN', 'The access token has expired.', 401)

export const InsufficientScopeError = createError<[scope: string]>('SCA_INSUFFICIENT_SCOPE', 'This requires the scope %s.', 403)

export const TooManyLoginsError = createError<[]>('SCA_TOO_MANY_LOGINS', 'Too many failed logins. Try again later.', 429)

/** More logins wait for their turn than can be served soon. */
export const LoginsBusyError = createError<[]>('SCA_LOGINS_BUSY', 'Too many logins at once. Try again later.', 503)

/** The store can't be reached, or did not answer in time. */
export const StoreUnavailableError = createError<[effect: string, options?: ErrorOptions]>(
  'SCA_STORE_UNAVAILABLE', 'The database is out of reach. %s', 503)

/** The store has no room left; reads still work. */
export const StoreFullError = createError<[options?: ErrorOptions]>(
  'SCA_STORE_FULL', 'The database has no space left. Nothing was changed.', 507)

/** Thrown at start or at register: the options or the configuration can't work. */
export const SetupError = createError<[reason: string]>('SCA_SETUP', 'student-course-api: %s', 500)
