import type { MongoClient } from 'mongodb'

/** What is used of the driver's inside; it has no other way to its monitor's connection. */
interface Inside {
  topology?: { s?: { servers?: Map<string, { monitor?: { connection?: { socket?: { destroyed?: boolean }, destroy?: () => void } | null } | null }> } }
}

/**
 * To be called when the driver begins to check a server. It checks at once when an operation loses its connection, often in the turn of the
 * event loop in which the check's own connection ends: the socket is destroyed then, but does not say so before the turn is over. The driver
 * would write to it, wait for it to drain for ever, and never check the server again, so that one that is back would stay lost
 * (`writeCommand` in its `connection.js`). A connection that is ended before makes it open another one.
 */
export function endDeadMonitor (client: MongoClient, address: string): void {
  const { topology } = client as unknown as Inside // no part of the declared class
  const connection = topology?.s?.servers?.get(address)?.monitor?.connection
  if (connection?.socket?.destroyed) connection.destroy?.()
}
