import t from 'tap'
import { merge, Registry, toPrometheus } from '../../../lib/server/registry.js'

t.test('counters, gauges and histograms are written as Prometheus reads them, with cumulative buckets', async (t) => {
  const registry = new Registry()
  const count = registry.counter({ name: 'requests_total', help: 'Requests.\nAll of "them", \\ too.', labels: ['path'] })
  count(['/a"b\\c\n'])
  count(['/a"b\\c\n'], 2)
  registry.gauge({ name: 'level', help: 'A level.' })(1.5)
  registry.total({ name: 'lost_total', help: 'Lost.' })(7)
  const observe = registry.histogram({ name: 'took_seconds', help: 'Took.', labels: ['kind'], bounds: [1, 2] })(['x'])
  for (const value of [0.5, 1, 1.5, 9]) observe(value)
  registry.counter({ name: 'never_total', help: 'Never.' })
  t.equal(toPrometheus(registry.read()), [
    '# HELP requests_total Requests.\\nAll of "them", \\\\ too.', '# TYPE requests_total counter', 'requests_total{path="/a\\"b\\\\c\\n"} 3',
    '# HELP level A level.', '# TYPE level gauge', 'level 1.5',
    '# HELP lost_total Lost.', '# TYPE lost_total counter', 'lost_total 7',
    '# HELP took_seconds Took.', '# TYPE took_seconds histogram',
    'took_seconds_bucket{kind="x",le="1"} 2', 'took_seconds_bucket{kind="x",le="2"} 3', 'took_seconds_bucket{kind="x",le="+Inf"} 4',
    'took_seconds_sum{kind="x"} 12', 'took_seconds_count{kind="x"} 4', ''
  ].join('\n'))
})

t.test('the metrics of several processes are added up, or the greatest counts', async (t) => {
  const make = (value: number, label: string) => {
    const registry = new Registry()
    registry.counter({ name: 'all_total', help: 'All.', labels: ['label'] })([label], value)
    registry.gauge({ name: 'worst', help: 'Worst.', combine: 'max' })(value)
    registry.histogram({ name: 'took', help: 'Took.', bounds: [2] })([])(value)
    return structuredClone(registry.read())
  }
  const processes = [make(1, 'x'), make(3, 'x'), make(2, 'y')]
  const text = toPrometheus(merge(processes))
  for (const line of ['all_total{label="x"} 4', 'all_total{label="y"} 2', 'worst 3', 'took_bucket{le="2"} 2', 'took_sum 6', 'took_count 3']) t.ok(text.includes(`${line}\n`), line)
  t.strictSame(merge(processes), merge(processes), 'what was merged is as it was')
})

t.test('what is kept elsewhere is asked for when somebody reads', async (t) => {
  const registry = new Registry()
  const set = registry.gauge({ name: 'now', help: 'Now.' })
  let value = 1
  registry.collect(() => set(value))
  t.match(toPrometheus(registry.read()), /\nnow 1\n/)
  value = 2
  t.match(toPrometheus(registry.read()), /\nnow 2\n/)
})
