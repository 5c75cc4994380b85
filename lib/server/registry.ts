/** How the values of several processes become one. */
type Combination = 'sum' | 'max'

export interface MetricOptions {
  name: string
  help: string
  /** The names of its labels, in the order of their values. */
  labels?: readonly string[]
  combine?: Combination
}

/** A metric with its values, as processes send it to each other. */
export interface Family {
  name: string
  help: string
  type: 'counter' | 'gauge' | 'histogram'
  combine: Combination
  labels: readonly string[]
  /** The upper bounds of a histogram's buckets, without infinity. */
  bounds: readonly number[]
  /** By their label values: one number, or those of each bucket, of what lies beyond them, and the sum. */
  series: [labels: readonly string[], values: number[]][]
}

/** Values under the same labels. */
class Series {
  readonly family: Family
  #byKey = new Map<string, number[]>()

  constructor (family: Family) {
    this.family = family
  }

  /** The numbers under these labels, which are there from now on. */
  at (labels: readonly string[]): number[] {
    const key = labels.join('\0')
    const known = this.#byKey.get(key)
    if (known) return known
    const values = Array.from({ length: this.family.type === 'histogram' ? this.family.bounds.length + 2 : 1 }, () => 0)
    this.#byKey.set(key, values)
    this.family.series.push([labels, values])
    return values
  }
}

function add (values: number[], index: number, by: number): void {
  values[index] = (values[index] as number) + by // a series has all its numbers from the start
}

/** Adds an observation to the numbers of a histogram. */
function observe (values: number[], bounds: readonly number[], value: number): void {
  let index = 0
  while (index < bounds.length && value > (bounds[index] as number)) index++ // within the length
  add(values, index, 1)
  add(values, values.length - 1, value)
}

/** The metrics of this process: made once at start, counted in many times, read when somebody asks. */
export class Registry {
  #families: Family[] = []
  #collectors: (() => void)[] = []

  /** Answers what counts one more, or as many as given. */
  counter (options: MetricOptions): (labels: readonly string[], by?: number) => void {
    const series = this.#add(options, 'counter')
    return (labels, by = 1) => add(series.at(labels), 0, by)
  }

  /** Answers what sets its value. */
  gauge (options: MetricOptions): (value: number, labels?: readonly string[]) => void {
    const series = this.#add(options, 'gauge')
    return (value, labels = []) => { series.at(labels)[0] = value }
  }

  /** A counter that is kept elsewhere, and set when it is read. */
  total (options: MetricOptions): (value: number, labels?: readonly string[]) => void {
    const series = this.#add(options, 'counter')
    return (value, labels = []) => { series.at(labels)[0] = value }
  }

  /** Answers what gives, for labels, what counts an observation: kept by whoever counts often, it saves the look-up. */
  histogram (options: MetricOptions & { bounds: readonly number[] }): (labels: readonly string[]) => (value: number) => void {
    const series = this.#add(options, 'histogram', options.bounds)
    return (labels) => {
      const values = series.at(labels)
      return (value) => observe(values, options.bounds, value)
    }
  }

  /** Called before the metrics are read. */
  collect (collector: () => void): void {
    this.#collectors.push(collector)
  }

  read (): Family[] {
    for (const collector of this.#collectors) collector()
    return this.#families
  }

  #add ({ name, help, labels = [], combine = 'sum' }: MetricOptions, type: Family['type'], bounds: readonly number[] = []): Series {
    const family: Family = { name, help, type, combine, labels, bounds, series: [] }
    this.#families.push(family)
    return new Series(family)
  }
}

/** The metrics of several processes as one. */
export function merge (processes: readonly Family[][]): Family[] {
  const merged = new Map<string, Series>()
  for (const family of processes.flat()) {
    const series = merged.get(family.name) ?? new Series({ ...family, series: [] })
    merged.set(family.name, series)
    for (const [labels, values] of family.series) {
      const sums = series.at(labels)
      for (const [index, value] of values.entries()) {
        if (family.combine === 'max') sums[index] = Math.max(sums[index] as number, value) // as above
        else add(sums, index, value)
      }
    }
  }
  return [...merged.values()].map(({ family }) => family)
}

/** The media type of Prometheus's text format. */
export const PROMETHEUS_TEXT = 'text/plain; version=0.0.4; charset=utf-8'

/** Metrics in Prometheus's text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). */
export function toPrometheus (families: readonly Family[]): string {
  return families.filter(({ series }) => series.length > 0).map((family) => [
    `# HELP ${family.name} ${family.help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}\n`,
    `# TYPE ${family.name} ${family.type}\n`,
    ...family.series.map(([values, numbers]) => samples(family, values, numbers))
  ].join('')).join('')
}

function samples ({ name, type, labels, bounds }: Family, values: readonly string[], numbers: readonly number[]): string {
  const pairs = labels.map((label, index) => `${label}="${escape(String(values[index]))}"`)
  if (type !== 'histogram') return line(name, pairs, numbers[0])
  let count = 0
  const buckets = [...bounds, Infinity].map((bound, index) => {
    count += Number(numbers[index])
    return line(`${name}_bucket`, [...pairs, `le="${bound === Infinity ? '+Inf' : bound}"`], count)
  })
  return [...buckets, line(`${name}_sum`, pairs, numbers.at(-1)), line(`${name}_count`, pairs, count)].join('')
}

function line (name: string, pairs: readonly string[], value: number | undefined): string {
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}\n`
}

function escape (text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')
}
