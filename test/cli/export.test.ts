import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { exportFile, RowCounter } from '../../cli/export.js'
import { forge, secured } from '../access/secured.js'
import { build } from '../build.js'
import { janeDoe } from '../samples.js'
import { answering, cutting, listen, ndjson, place, run, streams, students } from './run.js'

type Row = Record<string, unknown>

/** Records of NDJSON, without their ids. */
const recordsIn = (text: string) => text.trimEnd().split('\n').map((line) => {
  const { id, ...record } = JSON.parse(line) as Row // as the API writes it
  return record
})

t.test('an export in either format, imported elsewhere, gives equal records', async (t) => {
  const [here, there] = [place(t), place(t)]
  const records = students(1_300)
  await run(here.env, ['import', '-'], { input: ndjson(records) })
  const folder = t.testdir()
  for (const name of ['a.csv', 'b.ndjson', 'c.JSONL']) {
    t.match(await run(here.env, ['export', `${folder}/${name}`]), { code: 0, output: '1300 records exported.\n', errors: '' })
    t.match(await run(there.env, ['import', `${folder}/${name}`]), { code: 0, output: '1300 rows read: 1300 created' })
    const { output, errors } = await run(there.env, ['export', '-'])
    t.strictSame(recordsIn(output), records)
    t.equal(errors, '1300 records exported.\n')
    await there.students.deleteMany({})
  }
  t.strictSame((await readdir(folder)).sort(), ['a.csv', 'b.ndjson', 'c.JSONL'])
  t.strictSame(recordsIn(await readFile(`${folder}/b.ndjson`, 'utf8')), records)
})

t.test('a query chooses records, their order and their fields; --excel is for spreadsheets', async (t) => {
  const { env } = place(t)
  await run(env, ['import', '-'], { input: ndjson([{ ...janeDoe, name: '=1 #é', gpa: 4 }, { ...janeDoe, name: 'B', gpa: 3 }, { ...janeDoe, gpa: 1 }]) })
  const { output } = await run(env, ['export', '-', '--format', 'csv', '--excel', '--query', '?gpa.gte=3&sort=gpa&fields=name,gpa'])
  t.match(output, /^\ufeffid,name,gpa\r\n\w{24},B,3\r\n\w{24},'=1 #é,4\r\n$/)
  t.match(await run(env, ['export', '-', '--query', 'name==1 #é']), { code: 0, errors: '1 record exported.\n' })
  t.match(await run(env, ['export', '-', '--query', 'gpa.gte=x&colour=1']), { code: 1, output: '', errors: /\ngpa\.gte must be a number|\ncolour / })
  t.match(await run(env, ['export', '-', '--resource', 'cats']), { code: 1, output: '', errors: /The answer is 404/ })
})

t.test('wrong words are exit 2', async (t) => {
  const { env } = place(t)
  for (const words of [[], ['a.csv', 'b.csv'], ['a.csv', '--key', 'k'], ['a.txt'], ['a.ndjson', '--excel'], ['a.csv', '--token', 'x'], ['a.csv', '--dry-run']]) {
    t.equal((await run(env, ['export', ...words])).code, 2, words.join(' '))
  }
})

t.test('a file that is there is overwritten by --force alone, and what is no file never', async (t) => {
  const { env } = place(t)
  const folder = t.testdir({ 'a.csv': 'mine', 'b.csv.part': 'mine', 'c.csv': {} })
  t.match(await run(env, ['export', `${folder}/a.csv`]), { code: 1, errors: `${folder}/a.csv is there already: --force overwrites it.\n` })
  t.match(await run(env, ['export', `${folder}/b.csv`]), { code: 1, errors: /^.*b\.csv\.part is there already: another export is under way/ })
  t.equal(await readFile(`${folder}/a.csv`, 'utf8') + await readFile(`${folder}/b.csv.part`, 'utf8'), 'minemine')
  for (const name of ['a.csv', 'b.csv']) {
    t.match(await run(env, ['export', `${folder}/${name}`, '--force']), { code: 0, output: '0 records exported.\n' })
    t.match(await readFile(`${folder}/${name}`, 'utf8'), /^id,name/)
  }
  t.match(await run(env, ['export', `${folder}/c.csv`, '--force']), { code: 1, errors: 'c.csv is not a file. For a pipe, the file is -.' })
  t.match(await run(env, ['export', `${folder}/none/d.csv`]), { code: 1, errors: /not complete: ENOENT/ })
  t.strictSame((await readdir(folder)).sort(), ['a.csv', 'b.csv', 'c.csv'])
})

t.test('an export that is cut short is an error, and leaves no file', async (t) => {
  const { app, students: stored } = await build(t)
  await stored.insertMany(students(5_000))
  const url = await cutting(t, await listen(app), 'down', [300_000, 300_000])
  const folder = t.testdir()
  t.match(await run({}, ['export', `${folder}/a.csv`, '--url', url]), { code: 1, output: '', errors: /^The export is not complete: .*\. .*a\.csv is not written\.\n$/ })
  t.strictSame(await readdir(folder), [])
  const pipe = await run({}, ['export', '-', '--url', url])
  t.match(pipe, { code: 1, errors: /What came out ends too early\.\n$/ })
  t.ok(pipe.output.length > 0)
  t.match(await run({}, ['export', `${folder}/a.csv`, '--url', url]), { code: 0, output: '5000 records exported.\n' })
  t.match(await run({}, ['export', `${folder}/b.csv`, '--url', 'http://127.0.0.1:1']), { code: 1, errors: /cannot be reached/ })
})

t.test('a reader that leaves ends the export', async (t) => {
  const { env, students: stored } = place(t)
  await stored.insertMany(students(5_000))
  const { stdout, ...around } = streams()
  const left = new PassThrough()
  left.once('data', () => left.destroy())
  await t.rejects(exportFile('-', {}, { env: { ...env }, ...around, stdout: left }), { message: /^The export is not complete/ })
})

t.test('with a token from standard input or a prompt a server exports to a file or a pipe', async (t) => {
  const { app } = await secured(t)
  const url = await listen(app)
  const words = ['export', '-', '--url', url, '--token', '-']
  t.match(await run({}, words.slice(0, -2)), { code: 1, output: '', errors: 'This requires an access token in the Authorization header.\n' })
  t.match(await run({}, words, { input: forge() }), { code: 0, output: '', errors: '0 records exported.\n' })
  t.match(await run({}, words, { isTerminal: true, answer: forge() }), { code: 0, errors: /^Token: \n/ })
})

t.test('on a terminal the rows that came are shown, and their rate', async (t) => {
  const { url } = await answering(t, async (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' }).write('{}\n{}\n')
    await sleep(300)
    response.end('{}\n')
  })
  const { errors } = await run({}, ['export', `${t.testdir()}/a.ndjson`, '--url', url], { isTerminal: true })
  t.match(errors, /2 records, \d+ a second[^]*3 records, \d+ a second/)
})

t.test('rows of CSV are counted wherever it is cut, line ends in quotes and all', async (t) => {
  const text = Buffer.from('a,b\r\n"1\r\n""2""\n",3\r\n4,5\r\n')
  for (let at = 0; at <= text.length; at++) {
    const counter = new RowCounter('csv')
    t.equal(counter.rows, 0)
    counter.take(text.subarray(0, at))
    counter.take(text.subarray(at))
    t.equal(counter.rows, 2)
  }
})
