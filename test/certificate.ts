import { generate } from 'selfsigned'

/** A certificate for localhost and its key, both PEM, made anew. */
export async function certificate (name = 'localhost'): Promise<{ cert: string, key: string }> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }, { type: 7, ip: '127.0.0.1' }] }]
  })
  return { cert, key }
}
