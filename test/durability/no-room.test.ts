// Where the system has no room for the store, by limits on files, or a place that can't be used: needs Linux, util-linux and root, to mount a tmpfs.
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { launch, listening, Process } from '../launch.js'
import { built } from '../root.js'
import { janeDoe } from '../samples.js'

/** A small disk of its own. */
async function disk (t: Test, options: string): Promise<string> {
  const folder = await mkdtemp('/tmp/disk-')
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder])
  t.teardown(async () => {
    execFileSync('umount', ['-l', folder])
    await rm(folder, { recursive: true })
  })
  return folder
}

const create = (url: string) => fetch(`${url}/students/`, {
  method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...janeDoe, course: 'x'.repeat(500) })
})

async function fill (folder: string, leave: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  await writeFile(`${folder}/ballast`, Buffer.alloc(bavail * bsize - leave))
}

t.test('beyond a limit on the size of files writes are 507, reads go on, and the process lives and stops as it should', async (t) => {
  const folder = await mkdtemp('/tmp/limit-')
  t.teardown(() => rm(folder, { recursive: true }))
  const server = new Process(t, 'sh', ['-c', `ulimit -f 4096; exec ${process.execPath} ${built}server.js`], {
    cwd: folder, env: { PATH: process.env.PATH, PORT: '0', DATA_DIR: `${folder}/data`, LOG_LEVEL: 'fatal' }
  })
  const url = await listening(server)
  const acknowledged: string[] = []
  let answer = await create(url)
  for (; answer.status === 201; answer = await create(url)) acknowledged.push((await answer.json() as { id: string }).id)
  t.equal(answer.status, 507)
  t.comment(`${acknowledged.length} students fit`)
  for (let again = 0; again < 300; again++) {
    const [write, read] = await Promise.all([create(url), fetch(`${url}/students/${acknowledged[again]}`)])
    if (write.status !== 507 || read.status !== 200) t.fail(`a write was ${write.status}, a read ${read.status}`)
  }
  server.child.kill('SIGTERM')
  t.strictSame(await server.exited, { code: 0, signal: null })
})

t.test('on a disk with nothing left a store that is there is read, and not written', async (t) => {
  const folder = await disk(t, 'size=8m')
  const env = { DATA_DIR: `${folder}/data`, LOG_LEVEL: 'fatal' }
  const first = launch(t, env)
  t.equal((await create(await listening(first))).status, 201)
  first.child.kill('SIGKILL')
  await first.exited
  await fill(folder, 0)
  const second = launch(t, env)
  const url = await listening(second)
  t.match(await (await fetch(`${url}/students/`)).json(), { students: [{ name: janeDoe.name }] })
  t.equal((await create(url)).status, 507)
  second.child.kill('SIGTERM')
  t.strictSame(await second.exited, { code: 0, signal: null })
})

t.test('no room for a first start, no inodes, or a folder in place of a file is an error in words', async (t) => {
  const refused = async (env: NodeJS.ProcessEnv, words: RegExp) => {
    const server = launch(t, env)
    t.strictSame(await server.exited, { code: 1, signal: null })
    t.match(server.output, words)
  }
  const small = await disk(t, 'size=1m')
  await fill(small, 8192)
  await refused({ DATA_DIR: small }, /^The embedded store needs 1048576 bytes in [^ ]+: Error: ENOSPC/)
  const empty = await disk(t, 'size=1m')
  await fill(empty, 0)
  await refused({ DATA_DIR: empty }, /ENOSPC/)
  for (const inodes of [2, 3, 4]) await refused({ DATA_DIR: await disk(t, `size=8m,nr_inodes=${inodes}`) }, /ENOSPC|No space left on device/)
  const folder = await disk(t, 'size=8m')
  await mkdir(`${folder}/store.mdb-lock`)
  await refused({ DATA_DIR: folder }, /store\.mdb-lock has to be a file: remove what is there\n$/)
})
