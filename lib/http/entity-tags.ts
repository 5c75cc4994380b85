import { hash } from 'node:crypto'

/** How much of a hash a tag has: 132 bits. */
const TAG_LENGTH = 22

/** One member of If-Match or If-None-Match. */
export interface EntityTag {
  isWeak: boolean
  /** What stands between the quotes. */
  opaque: string
}

/** RFC 9110 section 8.8.3: a list of entity tags, or a star alone. */
const TAG = /^[ \t,]*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?:,|$)/

/** The hash of a text or of bytes, as the opaque part of a tag: the same in every process. */
export function digest (content: string | Buffer): string {
  return hash('sha256', content, 'base64url').slice(0, TAG_LENGTH)
}

/** The members of a field, or its star; undefined where it is malformed. */
export function parseEntityTags (field: string): EntityTag[] | '*' | undefined {
  if (field.trim() === '*') return '*'
  const tags: EntityTag[] = []
  let rest = field
  while (rest !== '') {
    const match = TAG.exec(rest)
    if (!match) return undefined
    tags.push({ isWeak: match[1] !== undefined, opaque: String(match[2]) })
    rest = rest.slice(match[0].length)
  }
  return tags.length > 0 ? tags : undefined
}

/** Whether If-None-Match names this representation, by weak comparison (RFC 9110 sections 8.8.3.2 and 13.1.2). What is malformed names none. */
export function isNamed (ifNoneMatch: string | undefined, opaque: string): boolean {
  if (ifNoneMatch === undefined) return false
  const tags = parseEntityTags(ifNoneMatch)
  return tags === '*' || (tags ?? []).some((tag) => tag.opaque === opaque)
}
