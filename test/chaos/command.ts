import type { Command } from './judge.js'

const VALUES = /c\d+ s\d+ v\d+/g

/** What the judge has to know of a message of MongoDB's protocol (OP_MSG): by its text, since it may not be whole. */
export function commandIn (message: Buffer): Command {
  const text = message.toString('latin1')
  return { texts: new Set(text.match(VALUES)), deleted: text.includes('delete\0') ? deletesIn(text).flatMap(idsIn) : [] }
}

/** The parts of a command that delete: the statements of a bulkWrite that do, or else all of it. */
function deletesIn (text: string): string[] {
  if (!text.includes('bulkWrite\0')) return [text]
  const [, ...parts] = text.split(/\W(update|delete)\0/) // each statement begins with its kind
  return parts.filter((_, index) => parts[index - 1] === 'delete')
}

/** The ids in a command: ObjectIds, or their text. */
function idsIn (text: string): string[] {
  const parts = text.split('_id\0')
  return parts.slice(1).map((value, index) =>
    parts[index]?.at(-1) === '\x07' ? Buffer.from(value.slice(0, 12), 'latin1').toString('hex') : value.slice(4, 28))
}
