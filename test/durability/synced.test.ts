// Whether a reply to a write means that it is on disk, as the kernel sees it: needs strace.
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { listening, Process } from '../launch.js'
import { root } from '../root.js'
import { janeDoe } from '../samples.js'

const CALLS = 'openat,pwrite64,pwritev,fdatasync,write,writev,sendto,sendmsg'
const WRITES = 20

/** What strace -f -yy tells of one call: the thread, the call and its arguments. */
const CALL = /^(\d+) +(?:<\.\.\. )?(\w+)(?:\(| resumed>)(.*)$/

interface Trace {
  /** Writes of data pages that a sync followed before the thread's next reply. */
  synced: number
  /** Replies that went out while pages were not on disk yet. */
  early: string[]
  /** The descriptors of the store's file that were opened to sync each write by itself. LMDB writes its meta pages through one. */
  metaDescriptors: Set<string>
}

t.test('between the pages of a commit and its reply stands a sync', async (t) => {
  const trace = await traced(t, `${root}dist`)
  t.comment(`${trace.synced} commits synced, ${trace.early.length} replies early`)
  t.ok(trace.synced >= WRITES, 'each write is a commit of its own')
  t.strictSame(trace.early, [])
  t.ok(trace.metaDescriptors.size > 0, 'the meta pages have a descriptor that syncs each write')
})

t.test('with syncing off this turns red', async (t) => {
  const dist = `${t.testdir()}/dist`
  await cp(`${root}dist`, dist, { recursive: true })
  await writeFile(`${t.testdirName}/package.json`, await readFile(`${root}package.json`))
  await symlink(`${root}node_modules`, `${t.testdirName}/node_modules`)
  const file = `${dist}/embedded/file.js`
  const source = await readFile(file, 'utf8')
  const unsynced = source.replace('overlappingSync: false', 'noSync: true')
  t.not(unsynced, source)
  await writeFile(file, unsynced)
  const trace = await traced(t, dist)
  t.ok(trace.early.length >= WRITES, `${trace.early.length} replies early`)
})

/** Creates students one after another, and tells in which order the store's thread wrote, synced and replied. */
async function traced (t: Test, dist: string): Promise<Trace> {
  const folder = `/tmp/synced-${process.pid}-${Math.random().toString(36).slice(2)}`
  await mkdir(folder)
  t.teardown(() => rm(folder, { recursive: true }))
  const log = `${folder}/trace`
  const server = new Process(t, 'strace', ['-f', '-yy', '-s', '0', '-e', `trace=${CALLS}`, '-o', log, process.execPath, `${dist}/server.js`], {
    cwd: folder, env: { PATH: process.env.PATH, PORT: '0', DATA_DIR: `${folder}/data` }
  })
  const url = await listening(server)
  for (let count = 0; count < WRITES; count++) {
    const answer = await fetch(`${url}/students/`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(janeDoe)
    })
    t.equal(answer.status, 201)
  }
  // to the server itself: strace keeps a signal from what it runs
  const children = await readFile(`/proc/${server.child.pid}/task/${server.child.pid}/children`, 'utf8')
  process.kill(Number.parseInt(children), 'SIGTERM')
  await server.exited
  return readTrace(await readFile(log, 'utf8'))
}

function readTrace (log: string): Trace {
  const trace: Trace = { synced: 0, early: [], metaDescriptors: new Set() }
  const dirty = new Map<string, boolean>()
  for (const line of log.split('\n')) {
    const [, thread = '', call = '', rest = ''] = CALL.exec(line) ?? []
    const [, descriptor = ''] = /^(\d+)<[^>]*store\.mdb>/.exec(rest) ?? []
    const [, opened = ''] = /store\.mdb", [A-Z_|]*O_DSYNC.* = (\d+)</.exec(rest) ?? []
    if (opened) trace.metaDescriptors.add(opened)
    else if (/^(pwrite64|pwritev|writev)$/.test(call) && descriptor && !trace.metaDescriptors.has(descriptor)) dirty.set(thread, true)
    else if (call === 'fdatasync' && descriptor) {
      if (dirty.get(thread)) trace.synced++
      dirty.set(thread, false)
    } else if (rest.includes('<UNIX') && dirty.get(thread)) trace.early.push(line)
  }
  return trace
}
