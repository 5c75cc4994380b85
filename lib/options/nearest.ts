import { closest, distance } from 'fastest-levenshtein'

/** The name that an unknown one most likely stands for; undefined where none is near. */
export function nearest (unknown: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined
  const wanted = unknown.toLowerCase()
  // letters that changed places are one slip, which their distance counts as two
  const wantedLetters = letters(wanted)
  const anagram = names.find((name) => name.length === wanted.length && letters(name) === wantedLetters)
  if (anagram !== undefined) return anagram
  const likely = closest(wanted, names.map((name) => name.toLowerCase()))
  // a third of the letters may differ
  return distance(wanted, likely) <= likely.length / 3 ? names.find((name) => name.toLowerCase() === likely) : undefined
}

/** The end of a message about an unknown name: which one was most likely meant, if any. */
export function suggestion (unknown: string, names: readonly string[], prefix = ''): string {
  const meant = nearest(unknown, names)
  return meant === undefined ? '' : `; did you mean ${prefix}${meant}?`
}

function letters (word: string): string {
  return Array.from(word.toLowerCase()).sort().join('')
}
