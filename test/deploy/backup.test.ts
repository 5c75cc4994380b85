// The cron line for backups, run as cron runs it but in folders of the test.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { launch, listening } from '../launch.js'
import { root } from '../root.js'

t.test('the cron line backs up the store of a server that runs, and removes what is older than 14 days', async (t) => {
  const folder = t.testdir({ backups: { old: {}, young: {} } })
  const [data, backups] = [join(folder, 'data'), join(folder, 'backups')]
  await mkdir(data)
  const daysAgo = (days: number) => Date.now() / 1_000 - days * 86_400
  await utimes(join(backups, 'old'), daysAgo(16), daysAgo(16))
  await utimes(join(backups, 'young'), daysAgo(13), daysAgo(13))
  await listening(launch(t, { DATA_DIR: data }))

  const line = readFileSync(join(root, 'deploy/backup.cron'), 'utf8').split('\n').find((line) => !line.startsWith('#')) ?? ''
  const [, command = ''] = /^(?:\S+ ){5}root (.*)$/.exec(line) ?? []
  const here = command.replaceAll('/opt/student-course-api', root).replaceAll('/var/lib/student-course-api', data)
    .replaceAll('/var/backups/student-course-api', backups).replaceAll('\\%', '%') // as cron reads it
  await promisify(execFile)('sh', ['-c', here])

  const [today = '', ...others] = (await readdir(backups)).sort()
  t.match(today, /^\d{4}-\d\d-\d\d$/)
  t.ok(existsSync(join(backups, today, 'store.mdb')))
  t.strictSame(others, ['young'])
})
