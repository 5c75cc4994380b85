import { generate } from 'selfsigned'

/** A certificate for localhost, which is good for so many days, and its key, both PEM, made anew. */
export async function certificate (name = 'localhost', days = 365): Promise<{ cert: string, key: string }> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    notBeforeDate: new Date(Date.now() - 2 * 86_400_000),
    notAfterDate: new Date(Date.now() + days * 86_400_000),
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }, { type: 7, ip: '127.0.0.1' }] }]
  })
  return { cert, key }
}
