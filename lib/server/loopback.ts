/** Whether only this machine reaches a server on this host (RFC 6890, RFC 6761 section 6.3). */
export function isLoopback (host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
