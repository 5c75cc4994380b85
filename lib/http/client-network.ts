import { isIPv4, isIPv6 } from 'node:net'

/**
 * The IP address in an entry of X-Forwarded-For, without what some proxies write around it: a port, brackets, a zone.
 * Undefined where there is none, as in `unknown`.
 */
export function addressIn (entry: string): string | undefined {
  const text = entry.trim()
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(text) ?? []
  const [, withPort] = /^([\d.]+):\d+$/.exec(text) ?? []
  const address = (bracketed ?? withPort ?? text).replace(/%.*$/, '')
  return isIPv4(address) || isIPv6(address) ? address : undefined
}

/**
 * What counts as one client: an IPv4 address, or the first 64 bits of an IPv6 address, since whoever has one has all
 * that begin so (RFC 6177). An IPv4 address in IPv6 form (RFC 4291 section 2.5.5.2) counts as IPv4.
 * @param ip what Fastify makes of X-Forwarded-For; where that is no address, the proxy that sent it counts
 * @param proxy the address of the connection's other end
 */
export function networkOf (ip: string, proxy: string): string {
  const address = addressIn(ip) ?? proxy
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  return isIPv6(address) ? `${groupsOf(address).slice(0, 4).join(':')}::/64` : address
}

/** The eight groups of an IPv6 address, without leading zeros. */
function groupsOf (address: string): string[] {
  const [before = '', after = ''] = address.toLowerCase().split('::')
  const [head, tail] = [before, after].map((part) => part.split(':').filter(Boolean)) as [string[], string[]] // as the pair it is made from
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0')
  return [...head, ...zeros, ...tail].map((group) => group.replace(/^0+(?=.)/, ''))
}
