/** Twenty clients with the largest reply, or five with the largest message. */
const defaultLimitBytes = 256 * 1024 * 1024
/** What each client may have whatever the others do. */
const defaultShareBytes = 1024 * 1024

export interface BacklogOptions {
  limitBytes?: number
  shareBytes?: number
}

/** The memory that all clients together have in use: for messages half here, for those in work, for replies that are not read. */
export class Backlog {
  private readonly limitBytes: number
  private readonly shareBytes: number
  private bytes = 0

  constructor ({ limitBytes = defaultLimitBytes, shareBytes = defaultShareBytes }: BacklogOptions = {}) {
    this.limitBytes = limitBytes
    this.shareBytes = shareBytes
  }

  /** Counts what a client has now in place of what it had before; false when that is too much. */
  change (before: number, now: number): boolean {
    this.bytes += now - before
    return now <= before || now <= this.shareBytes || this.bytes <= this.limitBytes
  }
}
