import { isIP } from 'node:net'

const RANGES = new Set(['loopback', 'linklocal', 'uniquelocal'])

/**
 * Whether the text is what Fastify takes for the addresses of proxies. No word stands for everybody, nor does a number of proxies:
 * then a client could choose its own address.
 */
export function isProxyList (text: string): boolean {
  return text.split(',').map((entry) => entry.trim()).every((entry) => RANGES.has(entry) || isAddressRange(entry))
}

function isAddressRange (entry: string): boolean {
  const [address = '', bits = '1', ...rest] = entry.split('/')
  const most = new Map([[4, 32], [6, 128]]).get(isIP(address)) ?? -1
  return /^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= most && rest.length === 0
}
