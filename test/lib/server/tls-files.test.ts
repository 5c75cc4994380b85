import t from 'tap'
import { readTls } from '../../../lib/server/tls-files.js'
import { certificate } from '../../certificate.js'

t.test('certificate and key are read, and what is wrong with them is told', async (t) => {
  const { cert, key } = await certificate()
  const { key: other } = await certificate()
  const folder = t.testdir({ 'cert.pem': cert, 'key.pem': key, 'other.pem': other, 'text.pem': 's3cret' })
  const read = (certName?: string, keyName?: string) => readTls({
    ...certName !== undefined && { TLS_CERT_FILE: `${folder}/${certName}` }, ...keyName !== undefined && { TLS_KEY_FILE: `${folder}/${keyName}` }
  })
  t.strictSame(read(), { faults: [] })
  t.strictSame(read('cert.pem', 'key.pem'), { files: { cert, key }, faults: [] })
  for (const alone of [read('cert.pem'), read(undefined, 'key.pem')]) t.strictSame(alone, { faults: ['TLS_CERT_FILE and TLS_KEY_FILE must be set together'] })
  t.strictSame(read('none.pem', '.'), { faults: ["TLS_CERT_FILE can't be read: ENOENT", "TLS_KEY_FILE can't be read: EISDIR"] })
  for (const [files, code] of [[read('cert.pem', 'other.pem'), 'ERR_OSSL_X509_KEY_VALUES_MISMATCH'], [read('cert.pem', 'text.pem'), 'ERR_OSSL_UNSUPPORTED'], [read('text.pem', 'key.pem'), 'ERR_OSSL_PEM_NO_START_LINE']] as const) {
    t.strictSame(files, { faults: [`TLS_CERT_FILE and TLS_KEY_FILE must hold a certificate and its key, in PEM and without a passphrase: ${code}`] })
  }
})
