// A full disk, on a small tmpfs: needs the right to mount one.
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { MongoClient } from 'mongodb'
import t from 'tap'
import { check, find } from '../../embedded/index.js'
import { launch, listening } from '../launch.js'
import { janeDoe } from '../samples.js'

/** Bytes that something else takes of the disk, and then gives back. */
const BALLAST = 1_500_000

t.test('a full disk is 507, reads go on, nothing acknowledged is lost, and with space it goes on', async (t) => {
  const folder = await mkdtemp('/tmp/full-')
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder])
  t.teardown(async () => {
    execFileSync('umount', ['-l', folder])
    await rm(folder, { recursive: true })
  })
  await writeFile(`${folder}/ballast`, Buffer.alloc(BALLAST))
  const env = { DATA_DIR: `${folder}/data`, LOG_LEVEL: 'fatal' }
  const server = launch(t, env)
  const url = await listening(server)
  const client = new MongoClient(await find(`${folder}/data`) ?? '')
  for (const field of ['name', 'course']) await client.db('college').collection('students').createIndex({ [field]: 1, _id: 1 })
  await client.close()
  const create = () => fetch(`${url}/students/`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...janeDoe, course: 'x'.repeat(500) })
  })

  const acknowledged: string[] = []
  let answer = await create()
  for (; answer.status === 201; answer = await create()) acknowledged.push((await answer.json() as { id: string }).id)
  t.equal(answer.status, 507)
  t.match(await answer.json(), { title: 'Insufficient Storage', detail: 'The database has no space left. Nothing was changed.' })
  t.comment(`${acknowledged.length} students fit`)
  t.ok(acknowledged.length > 100)
  t.strictSame(await missing(url, acknowledged), [], 'all of them are read')
  t.equal((await create()).status, 507, 'still full')

  await rm(`${folder}/ballast`)
  const again = await create()
  t.equal(again.status, 201, 'with space it goes on')
  const { id } = await again.json() as { id: string }

  server.child.kill('SIGKILL')
  await server.exited
  const next = launch(t, env)
  const after = await listening(next)
  t.strictSame(await missing(after, [...acknowledged, id]), [], 'and all is there after a kill -9')
  next.child.kill('SIGTERM')
  await next.exited
  t.match(await check(`${folder}/data`), { documents: acknowledged.length + 1 }, 'the entries of indexes with it')
})

/** The ids that are not answered; one after another, since so many connections at once would be refused. */
async function missing (url: string, ids: string[]): Promise<string[]> {
  const gone: string[] = []
  for (const id of ids) if ((await fetch(`${url}/students/${id}`)).status !== 200) gone.push(id)
  return gone
}
