import t from 'tap'
import { isLinearizable, type Operation, type Step } from './history.js'

const write = (value: string): Step => () => ({ state: value })
const read = (value: string | undefined): Step => (state) => state === value ? { state } : undefined
const at = (began: number, ended: number, ...ways: Step[][]): Operation => ({ what: '', began, ended, ways })

t.test('a read sees what was written before it', async (t) => {
  t.ok(isLinearizable([at(0, 1, [write('a')]), at(2, 3, [read('a')])], undefined))
  t.notOk(isLinearizable([at(0, 1, [write('a')]), at(2, 3, [read(undefined)])], undefined), 'a stale one')
  t.notOk(isLinearizable([at(0, 1, [read('a')]), at(2, 3, [write('a')])], undefined), 'one of the future')
})

t.test('what happens at the same time may be in any order, but in one', async (t) => {
  const [first, second] = [at(0, 9, [write('a')]), at(0, 9, [write('b')])]
  for (const last of ['a', 'b']) t.ok(isLinearizable([first, second, at(10, 11, [read(last)])], undefined))
  t.notOk(isLinearizable([first, second, at(10, 11, [read('a')]), at(12, 13, [read('b')])], undefined))
})

t.test('the steps of one operation may have others between them, but keep their order', async (t) => {
  const own = at(0, 9, [write('a'), read('b')])
  t.ok(isLinearizable([own, at(0, 9, [write('b')])], undefined))
  t.notOk(isLinearizable([own, at(10, 11, [write('b')])], undefined))
  t.notOk(isLinearizable([at(0, 9, [read('a'), write('a')])], undefined))
})

t.test('an operation may have been made in one of several ways', async (t) => {
  const either = at(0, 1, [write('a')], [write('b')])
  t.ok(isLinearizable([either, at(2, 3, [read('b')])], undefined))
  t.notOk(isLinearizable([either, at(2, 3, [read('c')])], undefined))
})
