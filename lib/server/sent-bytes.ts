import type { ServerResponse } from 'node:http'

/** The bytes that were written of answers that are streams. */
const counts = new WeakMap<object, number>()

/** Counts the bytes of an answer whose length is not known before its end. */
export function countSent (response: ServerResponse): void {
  let bytes = 0
  const write = response.write.bind(response)
  const counting = (chunk: Buffer | string, ...rest: []): boolean => {
    counts.set(response, bytes += Buffer.byteLength(chunk))
    return write(chunk, ...rest)
  }
  response.write = counting as typeof write // it hands on whatever it is given
  counts.set(response, bytes)
}

/** How many were written so far; undefined of an answer that is not counted. */
export function sentOf (response: object): number | undefined {
  return counts.get(response)
}
