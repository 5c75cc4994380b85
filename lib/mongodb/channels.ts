import { channel, tracingChannel } from 'node:diagnostics_channel'

/** What a request asked of the database, from when it began to wait until its answer. */
export interface OperationEvent {
  /** The kind of batch it went in: `find_by_id`, `insert`, `change`, `list`, `finish_keys`; or `read` or `write` for one that went alone. */
  operation: string
  /** Set once it failed. */
  error?: unknown
}

/** A round trip to the database, once it has ended. */
export interface BatchEvent {
  operation: string
  /** How many requests shared it. */
  items: number
  durationMs: number
}

/**
 * Node's way to be watched without knowing by whom (`node:diagnostics_channel`): metrics, traces and timings of the server subscribe, a host of the
 * plugin may, and where nobody does, each costs one comparison. They are the process's own, so two apps in one process share them.
 */
export const operationChannel = tracingChannel<OperationEvent, OperationEvent>('student-course-api.operation')
export const batchChannel = channel('student-course-api.batch')
