import { closest, distance } from 'fastest-levenshtein'

/** The name that an unknown one most likely stands for; undefined where none is near. */
export function nearest (unknown: string, names: readonly string[]): string | undefined {
  const lower = names.map((name) => name.toLowerCase())
  // letters that changed places are one slip, which their distance counts as two
  const likely = lower.find((name) => letters(name) === letters(unknown.toLowerCase())) ?? closest(unknown.toLowerCase(), lower)
  const name = names.find((name) => name.toLowerCase() === likely)
  // a third of the letters may differ
  return name !== undefined && distance(unknown.toLowerCase(), likely) <= name.length / 3 ? name : undefined
}

function letters (word: string): string {
  return Array.from(word).sort().join('')
}
