import { isDeepStrictEqual } from 'node:util'

/** What a server answered: status and the fields of the body, those that differ by right left out. */
export interface Answer {
  name: string
  status: number
  body: unknown
}

/** How answers differ from those expected, one text each. Of a constant, the names of the fields count alone. */
export function differences (expected: Answer[], actual: Answer[], isConstant = false): string[] {
  const seen = ({ status, body }: Answer) => ({ status, body: isConstant ? Object.keys(Object(body)) : body })
  return actual.flatMap((answer) => {
    const other = expected.find(({ name }) => name === answer.name)
    if (other && isDeepStrictEqual(seen(answer), seen(other))) return []
    return [`${answer.name}: ${JSON.stringify(seen(answer))} where ours has ${JSON.stringify(other && seen(other))}`.slice(0, 1_000)]
  })
}
