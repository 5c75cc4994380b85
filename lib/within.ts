/** The promise's outcome, or a TimeoutError when it has none after that many milliseconds. What it began goes on by itself. */
export async function within<T> (limitMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DOMException(`no answer within ${limitMs} ms`, 'TimeoutError')), limitMs)
  })
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer))
}
