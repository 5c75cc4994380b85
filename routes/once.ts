import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import { ConflictError, DuplicateKeyError, KeyInUseError, NoKeysError } from '../lib/http/errors.js'
import type { IdRun } from '../lib/idempotency/id-run.js'
import { digestOf, parseKey } from '../lib/idempotency/key.js'
import type { Answer, HeldKey, IdempotencyKeys, Reservation } from '../lib/idempotency/keys.js'
import type { Repository } from '../lib/resources/repository.js'
import { usernameOf } from '../plugins/access-control.js'

/** Seconds after which it is worth it to ask for the answer of a request that is being worked on. */
const RETRY_AFTER_S = 1

/** The status of a refusal that stays one: what is there already. */
const CONFLICT = 409

export interface OnceOptions {
  /** A hash of what was sent. */
  fingerprint: string
  /** The answer, where it is known before the work is done. */
  prepare?: (run: IdRun) => Answer
}

/** Whether the request asks to be made once, however often it is sent. Throws MalformedKeyError. */
export function hasKey (request: FastifyRequest): boolean {
  return keyOf(request) !== undefined
}

function keyOf ({ headers }: FastifyRequest): string | undefined {
  const field = headers['idempotency-key']
  return field === undefined ? undefined : parseKey(String(field))
}

/** Reserves the key of a request that has one. Throws where there is nothing that could keep it. */
export async function reserve (keys: IdempotencyKeys | undefined, request: FastifyRequest, reply: FastifyReply, options: OnceOptions): Promise<Reservation> {
  const key = keyOf(request)
  if (!keys) throw new NoKeysError()
  const [path = ''] = request.url.split(/\/?(?:[?#]|$)/, 1)
  try {
    return await keys.reserve(digestOf(usernameOf(request), request.method, path, key), options.fingerprint, options.prepare)
  } catch (error) {
    if (error instanceof KeyInUseError) reply.header('retry-after', RETRY_AFTER_S)
    throw error
  }
}

/** The body of an answer that is given again; throws the conflict that it was. */
export function replay ({ status, body }: Answer, reply: FastifyReply): unknown {
  reply.header('idempotent-replayed', 'true')
  if (status === CONFLICT) throw new ConflictError(String(body))
  return body
}

/**
 * The errors of creates without those that only say that another try made the record: of several indexes that refuse it the database names one, which
 * need not be that of its id.
 */
export async function unlessThere (errors: readonly (Error | undefined)[], ids: readonly string[], repository: Repository): Promise<(Error | undefined)[]> {
  return Promise.all(errors.map(async (error, index) =>
    error instanceof DuplicateKeyError && await repository.find(String(ids[index])) ? undefined : error))
}

/**
 * Does the work of a key, and notes the answer, if it is final. What fails for a reason of the client's is forgotten, but for a conflict; after
 * any other failure the next one who has the key goes on.
 */
export async function finishing (held: HeldKey, log: FastifyBaseLogger, work: () => Promise<Answer>, isFinal: (body: unknown) => boolean = () => true): Promise<Answer> {
  // whatever the key holds then, the next try has the same effect
  const quietly = async (note: Promise<void>) => note.catch(({ message }) => log.warn(`an idempotency key could not be updated: ${message}`))
  try {
    const answer = await work()
    await quietly(isFinal(answer.body) ? held.finish(answer) : held.release())
    return answer
  } catch (error) {
    const { statusCode = 500, message } = error as Error & { statusCode?: number } // nothing here throws anything else
    if (statusCode === CONFLICT && !(error instanceof KeyInUseError)) await quietly(held.finish({ status: CONFLICT, body: message }))
    else if (statusCode < 500) await quietly(held.forget())
    else await quietly(held.release())
    throw error
  }
}
