/** RFC 3339 section 5.6. */
const DATE_TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/

/** Whether it is a time with its offset (RFC 3339) that a Date can be: one in a leap second cannot. */
export function isDateTime (text: string): boolean {
  if (!DATE_TIME.test(text) || Number.isNaN(Date.parse(text))) return false
  const [year, month, day] = text.slice(0, 10).split('-').map(Number) as [number, number, number] // as the pattern has it
  // which JavaScript takes for the first of the next month
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}
