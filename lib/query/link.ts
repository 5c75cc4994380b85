/** The relations of a page to others of its list (RFC 8288, and the link relations that IANA keeps). */
export interface PageCursors {
  next?: string
  prev?: string
  last?: string
}

/**
 * The references of a page to others: the path and the query of the request, with another cursor.
 * @param url the request's target, as it came
 */
export function pageReferences (url: string, { next, prev, last }: PageCursors): Record<string, string> {
  const [path = '', query = ''] = url.split(/\?(.*)/s)
  const kept = query.split('&').filter((pair) => pair !== '' && !/^(cursor|offset)(=|$)/.test(pair))
  const to = (cursor?: string) => {
    const parameters = [...kept, ...cursor === undefined ? [] : [`cursor=${cursor}`]]
    return parameters.length === 0 ? path : `${path}?${parameters.join('&')}`
  }
  return {
    first: to(),
    ...prev !== undefined && { prev: to(prev) },
    ...next !== undefined && { next: to(next) },
    ...last !== undefined && { last: to(last) }
  }
}

/** The header Link with these relations (RFC 8288 section 3). */
export function linkHeader (references: Record<string, string>): string {
  return Object.entries(references).map(([relation, reference]) => `<${toUri(reference)}>; rel="${relation}"`).join(', ')
}

/** Node takes characters in a target that a URI does not have. */
export function toUri (reference: string): string {
  return reference.replace(/[^\w.~!*'();:@&=+$,/?#[\]%-]/g, (character) => encodeURIComponent(character))
}
