import t from 'tap'
import { SharedTurns } from '../../server/shared-turns.js'

const settled = async () => new Promise(setImmediate)

/** Two processes, and which of their requests have their turn, or have none to wait for. */
function build () {
  const turns = new SharedTurns<{ name: string }>({ atOnce: 1, maxWaiting: 3 })
  const [one, other] = [{ name: 'one' }, { name: 'other' }]
  const answers: string[] = []
  const ask = (process: typeof one, id: number) => { turns.ask(process, id).then((hasCome) => answers.push(`${process.name} ${id} ${hasCome}`)) }
  const told = async () => {
    await settled()
    return answers.splice(0)
  }
  return { turns, one, other, ask, told }
}

t.test('one process waits for the turns of another, in the order in which they asked, and too many wait for none', async (t) => {
  const { turns, one, other, ask, told } = build()
  for (const [process, id] of [[one, 1], [other, 1], [one, 2], [other, 2], [one, 3]] as const) {
    ask(process, id)
    await settled()
  }
  t.strictSame(await told(), ['one 1 true', 'one 3 false'])
  turns.end(one, 1)
  t.strictSame(await told(), ['other 1 true'])
  turns.end(one, 1)
  turns.end(other, 9)
  t.strictSame(await told(), [], 'a turn ends once, and only one that there is')
  turns.end(other, 1)
  t.strictSame(await told(), ['one 2 true'])
})

t.test('a process that ends leaves its turns to others, and those that it waited for', async (t) => {
  const { turns, one, other, ask, told } = build()
  for (const [process, id] of [[one, 1], [one, 2], [other, 1]] as const) {
    ask(process, id)
    await settled()
  }
  t.strictSame(await told(), ['one 1 true'])
  turns.ended(one)
  t.strictSame(await told(), ['one 2 false', 'other 1 true'])
  turns.ended({ name: 'idle' })
  turns.end(one, 1)
  t.strictSame(await told(), [])
})
