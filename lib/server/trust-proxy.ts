import { BlockList, isIP } from 'node:net'
import { addressIn } from '../http/client-network.js'

/** RFC 6890: networks that have a name here. */
const RANGES: Record<string, string[]> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']
}

/**
 * Whether the text is a list of the addresses of proxies. No word stands for everybody, nor does a number of proxies:
 * then a client could choose its own address.
 */
export function isProxyList (text: string): boolean {
  return entriesOf(text).every((entry) => Object.hasOwn(RANGES, entry) || isAddressRange(entry))
}

/** Whether an address, as a proxy wrote it, is that of a proxy in the list; for Fastify's option `trustProxy`. */
export function trustOf (list: string): (address: string) => boolean {
  const proxies = new BlockList()
  for (const range of entriesOf(list).flatMap((entry) => RANGES[entry] ?? entry)) {
    const [address = '', bits] = range.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    proxies.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family)
  }
  return (written) => {
    const address = addressIn(written) ?? ''
    return proxies.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
}

function entriesOf (list: string): string[] {
  return list.split(',').map((entry) => entry.trim())
}

function isAddressRange (entry: string): boolean {
  const [address = '', bits = '1', ...rest] = entry.split('/')
  const most = new Map([[4, 32], [6, 128]]).get(isIP(address)) ?? -1
  return /^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= most && rest.length === 0
}
