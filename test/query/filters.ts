import fc from 'fast-check'

/** A parameter of a query with its values, which are more than one of a list alone. */
export type Parameter = [name: string, values: string[]]

const texts = fc.constantFrom('', 'a', 'A', 'ab', 'b', 'Zoë', 'ZOË', 'a.c', '.', 'a\0', '\u{10ffff}', '漢', 'null')
const numbers = fc.constantFrom('0', '-0', '1', '2.5', '3', '0.5', '9007199254740993', '1e300')
const lists = (of: fc.Arbitrary<string>) => fc.array(of, { minLength: 1, maxLength: 3 })
const one = (of: fc.Arbitrary<string>) => of.map((value) => [value])
const booleans = one(fc.constantFrom('true', 'false'))
const named = (names: readonly string[], values: fc.Arbitrary<string[]>): fc.Arbitrary<Parameter> => fc.tuple(fc.constantFrom(...names), values)
const withOperators = (fields: readonly string[], operators: readonly string[]) => fields.flatMap((field) => operators.map((operator) => field + operator))
const ranges = ['', '.ne', '.gt', '.gte', '.lt', '.lte']
const parameter = fc.oneof(
  { weight: 4, arbitrary: named(withOperators(['name', 'course'], [...ranges, '.prefix', '.contains', '.icontains']), one(texts)) },
  { weight: 3, arbitrary: named(withOperators(['gpa'], ranges), one(numbers)) },
  named(['name.in', 'course.in'], lists(texts)),
  named(['gpa.in'], lists(numbers)),
  named(['name.exists', 'gpa.exists', 'course.exists'], booleans)
)

export const filters: fc.Arbitrary<Parameter[]> = fc.uniqueArray(parameter, { minLength: 1, maxLength: 3, selector: ([name]) => name })

/** As a query has them. */
export function queryOf (filter: Parameter[]): string {
  return filter.flatMap(([name, values]) => values.map((value) => `${name}=${encodeURIComponent(value)}`)).join('&')
}

/** As a body has them. */
export function bodyOf (filter: Parameter[]): Record<string, unknown> {
  return Object.fromEntries(filter.map(([name, values]) => {
    const json = values.map((value) => name.endsWith('.exists') ? value === 'true' : name.startsWith('gpa') ? Number(value) : value)
    return [name, name.endsWith('.in') ? json : json[0]]
  }))
}
