import { X509Certificate } from 'node:crypto'
import { stat } from 'node:fs/promises'
import type { Config } from '../../config.js'
import { readKeys } from '../../lib/access/jwt-keys.js'
import { readTls } from '../../lib/server/tls-files.js'
import { count } from '../bulk.js'
import { error, type Finding, ok, warning } from './finding.js'

const DAY_MS = 86_400_000

/** A certificate that ends sooner should have been renewed: authorities that renew by themselves do it 30 days before. */
const CERTIFICATE_DAYS = 14

/** A random key has more, even one of 32 hexadecimal digits: fewer come once in 26 million. */
const LEAST_CHARACTERS = 8

/** Whether the keys can be read, and are long enough, was found when the settings were. */
export async function ofKeys (config: Config): Promise<Finding[]> {
  if (config.AUTH === 'off') return []
  const { keys } = readKeys(config)
  const isWeak = keys.some((key) => new Set(key).size < LEAST_CHARACTERS)
  return [
    isWeak ? warning('a key for access tokens repeats few characters, and can be guessed: make one with openssl rand -base64 48') : ok(`the first of ${count(keys.length, 'key')} signs access tokens`),
    ...await ofKeyFile(config)
  ]
}

async function ofKeyFile ({ JWT_SECRET_FILE }: Config): Promise<Finding[]> {
  if (!JWT_SECRET_FILE || process.platform === 'win32') return []
  const { mode } = await stat(JWT_SECRET_FILE)
  return [(mode & 0o077) === 0 ? ok('JWT_SECRET_FILE is readable by this user alone') : warning(`JWT_SECRET_FILE is readable by others: chmod 600 ${JWT_SECRET_FILE}`)]
}

export async function ofCertificate (config: Config): Promise<Finding[]> {
  const { files } = readTls(config)
  if (!files) return []
  const { validTo } = new X509Certificate(files.cert)
  const days = Math.floor((Date.parse(validTo) - Date.now()) / DAY_MS)
  if (days < 0) return [error(`the certificate of TLS_CERT_FILE ended on ${validTo}: renew it, and send the server SIGHUP`)]
  return [days < CERTIFICATE_DAYS ? warning(`the certificate of TLS_CERT_FILE ends on ${validTo}: renew it, and send the server SIGHUP`) : ok(`the certificate is good for ${days} days`)]
}
