/** The middle value; of an even number, the mean of the two in the middle. */
export function median (values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  const upper = sorted[half] ?? NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? NaN)) / 2
}

/**
 * The two-sided p-value of the Mann-Whitney U test: how often samples of one and the same source would differ at least so
 * much in their ranks. By the normal approximation with its corrections for ties and continuity, so for 20 values and more
 * (Mann and Whitney 1947, doi:10.1214/aoms/1177730491).
 */
export function mannWhitney (a: number[], b: number[]): number {
  const ranks = ranksOf([...a, ...b])
  const count = ranks.length
  const rankSum = sum(ranks.slice(0, a.length))
  const u = rankSum - a.length * (a.length + 1) / 2
  const mean = a.length * b.length / 2
  const ties = sum([...countsOf([...a, ...b]).values()].map((n) => n ** 3 - n))
  const variance = a.length * b.length / 12 * (count + 1 - ties / (count * (count - 1)))
  if (variance === 0) return 1
  const z = Math.max(0, Math.abs(u - mean) - 0.5) / Math.sqrt(variance)
  return 2 * upperTail(z)
}

/** The rank of each value from 1; equal values share the mean of theirs. */
function ranksOf (values: number[]): number[] {
  const sorted = values.toSorted((a, b) => a - b)
  const counts = countsOf(values)
  const firsts = new Map<number, number>()
  sorted.forEach((value, n) => { if (!firsts.has(value)) firsts.set(value, n + 1) })
  return values.map((value) => Number(firsts.get(value)) + (Number(counts.get(value)) - 1) / 2) // both hold every value
}

function countsOf (values: number[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)

/** The probability above z >= 0 of the standard normal distribution; off by less than 7.5e-8 (Abramowitz and Stegun 26.2.17). */
function upperTail (z: number): number {
  const t = 1 / (1 + 0.2316419 * z)
  const polynomial = [0.319381530, -0.356563782, 1.781477937, -1.821255978, 1.330274429]
    .reduceRight((higher, coefficient) => t * (coefficient + higher), 0)
  return Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI) * polynomial
}
