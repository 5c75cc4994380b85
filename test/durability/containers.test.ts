// Containers that share a volume, as the kernel has them: each process is number 1 of its own process namespace and has the store under a path of
// its own. Needs Linux, util-linux and root.
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { listening, Process } from '../launch.js'
import { built } from '../root.js'
import { janeDoe } from '../samples.js'

const rounds = Number(process.env.CONTAINER_ROUNDS ?? 12)

/** A folder that stands for a volume, and a way to run the command line in containers that have it. */
async function volume (t: Test): Promise<{ path: string, run: (words?: string) => Process }> {
  const folder = await mkdtemp('/tmp/volume-')
  t.teardown(() => rm(folder, { recursive: true }))
  const path = `${folder}/volume`
  await mkdir(path)
  let mounts = 0
  const run = (words = '') => {
    const mount = `${folder}/mount-${++mounts}`
    const script = `mkdir ${mount} && mount --bind ${path} ${mount} && exec ${process.execPath} ${built}cli.js ${words}`
    const args = ['--pid', '--fork', '--kill-child', '--mount', '--mount-proc', 'sh', '-c', script]
    return new Process(t, 'unshare', args, { cwd: folder, env: { PATH: process.env.PATH, PORT: '0', DATA_DIR: mount } })
  }
  return { path, run }
}

const inUse = /^The store in [^ ]+\/mount-\d+ is in use by another process \(pid 1 in its own container or on its own machine\)\n$/

t.test('a second container is refused, reaches the store by the command line, and leaves the lock as it is', async (t) => {
  const { path, run } = await volume(t)
  const first = run()
  const url = await listening(first)
  const created = await fetch(`${url}/students/`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(janeDoe) })
  t.equal(created.status, 201)
  for (let attempt = 0; attempt < 3; attempt++) {
    const second = run()
    t.match(await second.exited, { code: 1 })
    t.match(second.output, inUse)
  }
  const list = run('users list')
  t.match(await list.exited, { code: 0 })
  const before = await readdir(path)
  const backup = run(`backup ${path}/backup`)
  t.match(await backup.exited, { code: 0 }, 'a backup by a process of the same number')
  t.match(backup.output, /is in .*store\.mdb/)
  t.strictSame(await readdir(path), ['backup', ...before])
  t.equal((await fetch(`${url}/students/`)).status, 200)

  first.child.kill('SIGKILL')
  await first.exited
  const next = run()
  t.match(await (await fetch(`${await listening(next)}/students/`)).json(), { students: [{ name: janeDoe.name }] }, 'after kill -9 the next one has it')
})

t.test(`of two containers that start at once one has the store, ${rounds} times`, async (t) => {
  const { run } = await volume(t)
  for (let round = 0; round < rounds; round++) {
    const pair = [run(), run()]
    const outcomes = await Promise.all(pair.map(async (one) => Promise.race([listening(one), one.exited.then(() => '')])))
    t.equal(outcomes.filter((url) => url !== '').length, 1)
    const loser = pair[outcomes.indexOf('')]
    t.match(loser?.output, /is in use by another process/)
    for (const one of pair) {
      one.child.kill('SIGKILL')
      await one.exited
    }
  }
})
