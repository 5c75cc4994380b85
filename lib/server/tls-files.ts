import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'

/** Where certificate and key stand, as the environment says it. */
interface TlsSettings {
  TLS_CERT_FILE?: string
  TLS_KEY_FILE?: string
}

export interface TlsFiles {
  cert: string
  key: string
}

/** The certificate, with those above it, and its key, both PEM, and what is wrong with them; no fault shows any of the key. */
export function readTls ({ TLS_CERT_FILE, TLS_KEY_FILE }: TlsSettings): { files?: TlsFiles, faults: string[] } {
  if (!TLS_CERT_FILE && !TLS_KEY_FILE) return { faults: [] }
  if (!TLS_CERT_FILE || !TLS_KEY_FILE) return { faults: ['TLS_CERT_FILE and TLS_KEY_FILE must be set together'] }
  const faults: string[] = []
  const read = (name: string, path: string): string => {
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      faults.push(`${name} can't be read: ${(error as NodeJS.ErrnoException).code}`) // from reading the file
      return ''
    }
  }
  const files = { cert: read('TLS_CERT_FILE', TLS_CERT_FILE), key: read('TLS_KEY_FILE', TLS_KEY_FILE) }
  if (faults.length > 0) return { faults }
  try {
    createSecureContext(files)
    return { files, faults }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // OpenSSL's, which names what it did not like
    return { faults: [`TLS_CERT_FILE and TLS_KEY_FILE must hold a certificate and its key, in PEM and without a passphrase: ${code}`] }
  }
}
