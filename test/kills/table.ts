/** Prints rows under a header, in the format of the documents. */
export function printTable (header: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  for (const row of [header, header.map(() => '---'), ...rows]) console.log(`| ${row.join(' | ')} |`)
}
