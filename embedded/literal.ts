import { text, types, type Field } from './bson.js'
import { MongoError } from './errors.js'

/** One character that stands for itself: any that means nothing in an expression, or any but a letter or digit after a backslash; or \x00, which is the zero byte. */
const character = /\\([^\p{L}\p{N}_]|x00)|([^\\^$.*+?()[\]{}|])/uy

/**
 * The text that a $regex is, with what means something in an expression escaped: this store looks for text, and any other expression is refused,
 * since JavaScript's are not MongoDB's.
 */
export function textOfPattern ({ type, value }: Field): string {
  if (type !== types.string) throw new MongoError('BadValue', '$regex has to be a string')
  const pattern = text(value)
  if (pattern.includes('\0')) throw new MongoError('BadValue', 'Regular expression cannot contain an embedded null byte')
  let literal = ''
  for (character.lastIndex = 0; character.lastIndex < pattern.length;) {
    const [, escaped, plain] = character.exec(pattern) ?? []
    if (escaped === undefined && plain === undefined) throw new MongoError('CommandNotSupported', 'The embedded store matches by escaped text only')
    literal += escaped === 'x00' ? '\0' : escaped ?? plain
  }
  return literal
}
