import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { importFile, type Clock } from '../../cli/import.js'
import { forge, secured } from '../access/secured.js'
import { build } from '../build.js'
import { janeDoe } from '../samples.js'
import { answering, cutting, listen, ndjson, place, run, streams, students } from './run.js'

const KEY = 'The key of this import is '

const CSV = 'gpa,name,email,course\r\n3.5,Jane,jdoe@example.com,"Two\r\nlines"\r\n4,Joe,joe@example.com,\r\n'

const someone = { ...janeDoe, name: 'Someone' }

/** Words of an answer in lines. */
const line = (value: object) => `${JSON.stringify(value)}\n`
const inLines = { 'content-type': 'application/x-ndjson' }
const done = line({ summary: { rows: 1, created: 1, failed: 0, faults: [] } })
const problem = (status: number, headers = {}) => [status, { 'content-type': 'application/problem+json', ...headers }] as const

/** A clock that only pauses move on, with the pauses in seconds. */
function fakeClock (): Clock & { pauses: number[] } {
  let now = 0
  const pauses: number[] = []
  return {
    pauses,
    now: () => now,
    sleep: async (ms) => {
      now += ms
      pauses.push(ms / 1_000)
    }
  }
}

t.test('NDJSON and CSV are imported into the configured store, from a file or from standard input, and faults are told by their lines', async (t) => {
  const { env, students } = place(t)
  const folder = t.testdir({ 'a.jsonl': ndjson([someone, someone]), 'b.csv': CSV, 'c.txt': ndjson([someone]) })
  const first = await run(env, ['import', `${folder}/a.jsonl`])
  t.match(first, { code: 0, output: '2 rows read: 2 created, 0 refused.\n' })
  t.match(first.errors, /^The key of this import is [\w-]{36}: with --key it can be gone on with\.\n$/)

  const csv = await run(env, ['import', `${folder}/b.csv`, '--key', 'b'])
  t.strictSame(csv, { code: 1, output: '', errors: `${folder}/b.csv:4: /course is required\n2 rows read: 1 created, 1 refused.\n` })
  t.match(await run(env, ['import', `${folder}/c.txt`, '--format', 'ndjson']), { code: 0, output: '1 row read: 1 created' })
  t.match(await run(env, ['import', '-'], { input: ndjson([someone]) }), { code: 0 })
  t.match(await run(env, ['import', '-', '--format', 'csv'], { input: CSV }), { code: 1, errors: '-:4: /course is required' })
  t.equal(await students.countDocuments(), 6)

  t.match(await run(env, ['import', `${folder}/b.csv`, '--key', 'b']), { errors: '2 rows read: 1 created, 1 refused.' }, 'a key counts once')
  t.equal(await students.countDocuments(), 6)
})

t.test('of many faults the first 20 are told, and how many there are', async (t) => {
  const { env, students } = place(t)
  const wrong = (length: number) => ndjson(Array.from({ length }, () => ({ ...janeDoe, gpa: 5 })))
  const few = await run(env, ['import', '-'], { input: wrong(22) })
  t.match(few.errors, /-:20: \/gpa must be <= 4\nand 2 more faults\n22 rows read: 0 created, 22 refused\.\n$/)
  const many = await run(env, ['import', '-'], { input: wrong(1_200) })
  t.match(many.errors, /-:20: \/gpa must be <= 4\nand at least 980 more faults\n1200 rows/)
  t.equal(await students.countDocuments(), 0)
})

t.test('a dry run says what would be created, and stores nothing', async (t) => {
  const { env, students } = place(t)
  t.strictSame(await run(env, ['import', '-', '--dry-run'], { input: ndjson([someone]) }), { code: 0, output: '1 row read: 1 would be created, 0 refused.\n', errors: '' })
  const stopped = await run(env, ['import', '-', '--dry-run', '--on-error', 'stop'], { input: `${ndjson([someone])}x` })
  t.strictSame(stopped, { code: 1, output: '', errors: '-:2: must be JSON\n2 rows read: 1 would be created, 1 refused.\nThe import is not complete: The import ended at line 2.\n' })
  t.equal(await students.countDocuments(), 0)
})

t.test('an import that a fault stops goes on with the corrected file, by the command that it tells', async (t) => {
  const { env, students } = place(t)
  const folder = t.testdir({ 'it\'s.ndjson': `${ndjson([someone])}{}\n`, corrected: ndjson([someone, janeDoe]) })
  const { code, errors } = await run(env, ['import', `${folder}/it's.ndjson`, '--on-error', 'stop', '--resource', 'students', '--key', 'k'])
  t.equal(code, 1)
  t.match(errors, 'The import is not complete: The import ended at line 2.\n')
  t.equal(errors.split('\n').at(-2), `To go on: student-course-api import '${folder}/it'\\''s.ndjson' --on-error stop --resource students --key k`)
  t.match(await run(env, ['import', `${folder}/corrected`, '--format', 'ndjson', '--on-error', 'continue', '--key', 'k']), { code: 0, output: '2 rows read: 2 created' })
  t.equal(await students.countDocuments(), 2)
})

t.test('wrong words are exit 2, in a sentence that says what is right', async (t) => {
  const { env } = place(t)
  const file = `${t.testdir({ 'a.csv': CSV })}/a.csv`
  const cases: [string[], RegExp][] = [
    [[], /^error: missing required argument 'file'/],
    [[file, file], /^error: too many arguments for 'import'/],
    [[file, '--excel'], /^error: unknown option '--excel'/],
    [['a.txt'], /^The name a\.txt does not end in \.csv, \.ndjson or \.jsonl: say --format ndjson or --format csv\.$/],
    [[file, '--format', 'xml'], /argument 'xml' is invalid\. Allowed choices are ndjson, csv/],
    [[file, '--on-error', 'retry'], /argument 'retry' is invalid\. Allowed choices are stop, continue/],
    [[file, '--key', 'a b'], /^Idempotency-Key must be 1 to 255/],
    [[file, '--token', 's3cret', '--url', 'http://a'], /^--token takes - alone, since others can read the arguments/],
    [[file, '--token', '-'], /^--token is for a server/],
    [['-', '--token', '-', '--url', 'http://a'], /^Standard input cannot be both/],
    [[file, '--token', '-', '--url', 'http://a'], /^That is not a token/],
    ...['x', 'ftp://a', 'http://user:s3cret@a', 'http://a/?b', 'http://a/#b'].map((url): [string[], RegExp] => [[file, '--url', url], /^--url is http:\/\/HOST/])
  ]
  for (const [words, message] of cases) {
    const { code, errors } = await run(env, ['import', ...words])
    t.equal(code, 2, words.join(' '))
    t.match(errors.trimEnd(), message)
    t.notMatch(errors, /s3cret/)
  }
  t.match(await run(env, ['import', 'none.csv']), { code: 1, errors: /^ENOENT.*none\.csv/ })
  t.match(await run(env, ['import', t.testdirName, '--format', 'csv']), { code: 1, errors: /EISDIR/ })
})

t.test('a server takes an import with a token, which comes from standard input or from a prompt', async (t) => {
  const { app, students } = await secured(t)
  const url = await listen(app)
  const file = `${t.testdir({ 'a.csv': CSV })}/a.csv`
  const words = ['import', file, '--url', `${url}/`]
  const token = forge({ claims: { scope: 'students:write' } })
  t.match(await run({}, words), { code: 1, errors: /\nThis requires an access token in the Authorization header\.\n$/ })
  t.match(await run({}, [...words, '--token', '-'], { input: `${forge()}\n` }), { code: 1, errors: /requires the scope students:write/ })
  t.equal(await students.countDocuments(), 0)
  t.match(await run({}, [...words, '--token', '-'], { input: `${token}\n` }), { errors: '2 rows read: 1 created, 1 refused.' })
  const asked = await run({}, [...words, '--token', '-'], { isTerminal: true, answer: token })
  t.match(asked.errors, /^Token: \n/)
  t.match(asked.errors, '2 rows read: 1 created, 1 refused.')
  t.notMatch(asked.errors, token)
  t.equal(await students.countDocuments(), 2)
})

t.test('after broken connections the import goes on, with no row twice and none missing', async (t) => {
  const { app, students: stored } = await build(t)
  const records = students(9_000)
  const text = ndjson(records)
  const file = `${t.testdir({ 'a.ndjson': text })}/a.ndjson`
  const url = await cutting(t, await listen(app), 'up', [text.length * 0.4, text.length * 0.8, text.length * 0.9])
  const { printed, ...around } = streams()
  t.equal(await importFile(file, { url }, { env: {}, ...around }, { now: () => 0, sleep: () => sleep(50) }), '9000 rows read: 9000 created, 0 refused.')
  t.match(printed.errors, /(Trying again in [\d.]+ s\.\n[^]*){3}/)
  const names = (await stored.find().toArray()).map(({ name }) => String(name))
  t.strictSame(names.sort(), records.map(({ name }) => name).sort())
})

t.test('what may pass is tried again under the same key, with pauses that grow and are as long as the server asks for', async (t) => {
  const { url, requests } = await answering(t,
    (_request, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<p>'),
    (_request, response) => response.writeHead(...problem(503, { 'retry-after': '2' })).end('{"status":503,"detail":"Away."}'),
    (_request, response) => response.writeHead(...problem(409, { 'retry-after': '1' })).end('{"status":409,"detail":"In use."}'),
    (_request, response) => response.writeHead(200, inLines).end(line({ problem: { status: 503, detail: 'Away.' } })),
    (_request, response) => response.writeHead(200, inLines).end(line({ progress: { rows: 2, created: 1, failed: 0 } })),
    (_request, response) => response.destroy(),
    (_request, response) => response.writeHead(200, inLines).end(done))
  const { printed, ...around } = streams()
  const clock = fakeClock()
  const file = `${t.testdir({ 'a.ndjson': ndjson([someone]) })}/a.ndjson`
  t.equal(await importFile(file, { url }, { env: {}, ...around }, clock), '1 row read: 1 created, 0 refused.')
  t.strictSame(clock.pauses, [0.5, 2, 2, 4, 0.5, 1])
  t.equal(new Set(requests.map(({ headers }) => headers['idempotency-key'])).size, 1)
  t.match(printed.errors, 'is the URL right? Trying again in 0.5 s.\nAway. Trying again in 2 s.\nIn use. Trying again in 2 s.\nAway. Trying again in 4 s.\nThe answer has no end. Trying again in 0.5 s.\n')
})

t.test('after five minutes without a row it is given up, with the command that goes on', async (t) => {
  const { url } = await answering(t, (_request, response) => response.writeHead(...problem(503)).end('{"status":503,"detail":"Away."}'))
  const clock = fakeClock()
  const file = `${t.testdir({ 'a.ndjson': ndjson([someone]) })}/a.ndjson`
  const { printed, ...around } = streams({ input: 'token' })
  await t.rejects(importFile(file, { url, token: '-', key: 'k' }, { env: {}, ...around }, clock),
    { message: `The import is not complete: Away.\nTo go on: student-course-api import ${file} --url ${url} --token - --key k` })
  t.equal(Math.max(...clock.pauses), 15)
  t.equal(clock.now() > 300_000 && clock.now() < 320_000, true)
})

t.test('what does not pass is told at once; of a second try, with how to go on', async (t) => {
  const answers = (...given: Parameters<typeof answering>[1][]) => answering(t, ...given as [Parameters<typeof answering>[1]]) // one or more
  const file = `${t.testdir({ 'a.ndjson': ndjson([someone]) })}/a.ndjson`
  const clock = fakeClock()
  const error = async (url: string) => importFile(file, { url, key: 'k' }, { env: {}, ...streams() }, clock).then(() => '', ({ message }) => String(message))

  const unreachable = await error('http://127.0.0.1:1')
  t.equal(unreachable, '127.0.0.1:1 cannot be reached: connect ECONNREFUSED 127.0.0.1:1.')
  const page = await answers((_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'))
  t.equal(await error(page.url), 'The answer is 200 and no problem of this API: is the URL right?')
  const reused = await answers((_request, response) => response.writeHead(200, inLines).end(line({ problem: { status: 422, detail: 'Reused.' } })))
  t.equal(await error(reused.url), 'Reused.')
  const conflict = await answers((_request, response) => response.writeHead(...problem(409)).end('{"status":409,"detail":"No."}'))
  t.equal(await error(conflict.url), 'No.')
  t.strictSame(clock.pauses, [])

  const expired = await answers((_request, response) => response.destroy(), (_request, response) => response.writeHead(...problem(401)).end('{"status":401,"detail":"Expired."}'))
  t.equal(await error(expired.url), `The import is not complete: Expired.\nTo go on: student-course-api import ${file} --url ${expired.url} --key k`)
})

t.test('standard input is sent once: a broken connection ends that, with the key', async (t) => {
  const { url, requests } = await answering(t, (_request, response) => response.destroy())
  const { code, errors } = await run({}, ['import', '-', '--url', url, '--key', 'k'], { input: ndjson([someone]) })
  t.equal(code, 1)
  t.match(errors, `To go on, with the same input from its beginning: student-course-api import - --url ${url} --key k\n`)
  t.equal(requests.length, 1)
})

t.test('on a terminal a bar shows how much of the file is taken, and the rows; for standard input the rows alone', async (t) => {
  const { url } = await answering(t, async (_request, response) => {
    response.writeHead(200, inLines).write(line({ progress: { rows: 7, created: 7, failed: 0 } }))
    await sleep(400)
    response.end(done)
  })
  const file = `${t.testdir({ 'a.ndjson': ndjson([someone]) })}/a.ndjson`
  const shown = await run({}, ['import', file, '--url', url], { isTerminal: true })
  t.match(shown, { code: 0, errors: KEY })
  t.match(shown.errors, /█+.* 100% \| 7 rows \| /)
})
