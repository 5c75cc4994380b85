import { closest, distance } from 'fastest-levenshtein'

/** The name that an unknown one most likely stands for; undefined where none is near. */
export function nearest (unknown: string, names: readonly string[]): string | undefined {
  const likely = closest(unknown.toLowerCase(), names.map((name) => name.toLowerCase()))
  const name = names.find((name) => name.toLowerCase() === likely)
  // a third of the letters may differ
  return name !== undefined && distance(unknown.toLowerCase(), likely) <= name.length / 3 ? name : undefined
}
