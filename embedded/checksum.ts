import { crc32 } from 'node:zlib'

/** Behind each value stands the CRC-32 of its key and itself. */
export const checksumBytes = 4

export function withChecksum (key: Buffer, value: Buffer): Buffer {
  const stored = Buffer.allocUnsafe(value.length + checksumBytes)
  stored.set(value)
  stored.writeUInt32LE(crc32(value, crc32(key)), value.length)
  return stored
}

/** Whether a stored value is what was stored under this key. */
export function isWhole (key: Buffer, stored: Buffer): boolean {
  const length = stored.length - checksumBytes
  return length >= 0 && crc32(stored.subarray(0, length), crc32(key)) === stored.readUInt32LE(length)
}
