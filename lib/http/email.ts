import { domainToASCII, domainToUnicode } from 'node:url'

/** In octets: RFC 5321 section 4.5.3.1.1, and 4.5.3.1.3 less the angle brackets. */
const MAX_LOCAL_PART = 64
const MAX_ADDRESS = 254

/**
 * A dot-atom (RFC 5322 section 3.2.3), in which letters, digits and signs beyond ASCII are allowed (RFC 6531 section 3.3),
 * but nothing that can't be seen. Quoted strings are not taken.
 */
const ATOM = "(?:[\\w!#$%&'*+/=?^`{|}~-]|(?![\\0-\\x7f])[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}])+"
const LOCAL_PART = new RegExp(`^${ATOM}(?:\\.${ATOM})*$`, 'u')

/** Two labels or more (RFC 1035 section 2.3.1), of which the last is no number. */
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** Whether it is the address of a mailbox (RFC 5321), as SMTPUTF8 (RFC 6531) and IDNA allow it too. */
export function isEmail (text: string): boolean {
  const at = text.lastIndexOf('@')
  const [localPart, domain] = [text.slice(0, at), text.slice(at + 1)]
  if (at < 1 || Buffer.byteLength(localPart) > MAX_LOCAL_PART || Buffer.byteLength(text) > MAX_ADDRESS) return false
  return LOCAL_PART.test(localPart) && isDomain(domain.toLowerCase())
}

/** In the form in which IDNA shows it: what it would drop or replace makes two addresses look alike. */
function isDomain (domain: string): boolean {
  const ascii = domainToASCII(domain)
  return DOMAIN.test(ascii) && (domain === ascii || domain.normalize('NFC') === domainToUnicode(ascii))
}
