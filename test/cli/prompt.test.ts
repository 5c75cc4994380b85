import { PassThrough, Readable } from 'node:stream'
import t from 'tap'
import { readSecret, type Terminal } from '../../cli/prompt.js'

/** A terminal that is typed into once it asks, and what it shows. */
function terminal (...answers: string[]) {
  const shown: string[] = []
  const input: Terminal['input'] = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} })
  const output = new PassThrough()
  output.on('data', (chunk) => {
    shown.push(String(chunk))
    if (String(chunk).endsWith(': ')) setImmediate(() => (input as PassThrough).write(`${answers.shift()}\r`))
  })
  return { shown, terminal: { input, output } }
}

t.test('a prompt asks twice and shows nothing of what is typed', async (t) => {
  const { shown, terminal: ours } = terminal('correct horse', 'correct horse')
  t.equal(await readSecret('Password', ours), 'correct horse')
  t.equal(shown.join(''), 'Password: \nPassword again: \n')
})

t.test('a secret that is no new one is asked for once', async (t) => {
  const { shown, terminal: ours } = terminal('token')
  t.equal(await readSecret('Token', ours, { isNew: false }), 'token')
  t.equal(shown.join(''), 'Token: \n')
})

t.test('two that differ are refused', async (t) => {
  await t.rejects(readSecret('Password', terminal('one', 'two').terminal), { message: 'The two entries differ.' })
})

t.test('without a terminal the secret is the first line of the input', async (t) => {
  for (const [text, secret] of [['a b\nc\n', 'a b'], ['a\r\n', 'a'], ['a', 'a'], ['', '']] as const) {
    t.equal(await readSecret('Password', { input: Readable.from([text]), output: new PassThrough() }), secret)
  }
})
