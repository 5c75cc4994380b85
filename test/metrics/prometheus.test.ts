// Needs Debian's package prometheus: npm run test:metrics
import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { freePort } from '../free-port.js'
import { launch, listening, Process } from '../launch.js'
import { root } from '../root.js'
import { janeDoe } from '../samples.js'

interface Result {
  data: { result: { metric: Record<string, string>, value: [number, string] }[] }
}

async function run (command: string, args: string[], input = '') {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const code = new Promise((resolve, reject) => child.once('close', resolve).once('error', reject))
  child.stdin.end(input)
  const output = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await code, output: output.join('') }
}

const alerts = `${root}deploy/prometheus-alerts.yml`

t.test('a Prometheus scrapes the server, and finds all that the alerts and the dashboard ask for', async (t) => {
  const server = launch(t, { DATA_DIR: t.testdir({ data: {}, 'prometheus.yml': '' }) + '/data', METRICS: 'on' })
  const url = await listening(server)
  for (let count = 0; count < 20; count++) {
    const made = await fetch(`${url}/students/`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(janeDoe) })
    t.equal((await fetch(`${url}${made.headers.get('location')}`)).status, 200)
  }

  const scraped = await (await fetch(`${url}/metrics`)).text()
  t.strictSame(await run('promtool', ['check', 'metrics'], scraped), { code: 0, output: '' }, 'promtool has nothing to say')
  const checked = await run('promtool', ['check', 'rules', alerts])
  t.equal(checked.code, 0, checked.output)
  t.match(checked.output, /SUCCESS: 5 rules found/)

  const folder = t.testdirName
  const port = await freePort()
  await writeFile(`${folder}/prometheus.yml`, JSON.stringify({
    global: { scrape_interval: '500ms', scrape_timeout: '500ms' },
    rule_files: [alerts],
    scrape_configs: [{ job_name: 'student-course-api', static_configs: [{ targets: [new URL(url).host] }] }]
  }))
  const prometheus = new Process(t, 'prometheus', [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/tsdb`, `--web.listen-address=127.0.0.1:${port}`], {})
  const query = async (expression: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`).catch(() => undefined)
    return answer?.ok ? (await answer.json() as Result).data.result : [] // as Prometheus documents it
  }
  for (let tries = 0; tries < 100 && (await query('up')).length === 0; tries++) await sleep(200)
  t.equal((await query('up{job="student-course-api"}'))[0]?.value[1], '1', prometheus.output)
  t.equal((await query('http_server_request_duration_seconds_count{http_route="/students/",http_request_method="POST",http_response_status_code="201"}'))[0]?.value[1], '20')

  const asked = await readFile(alerts, 'utf8') + await readFile(`${root}deploy/grafana-dashboard.json`, 'utf8')
  const names = new Set(asked.match(/\b(?!db_client_connection_state)(http_server|db_client|student_course_api|nodejs|process|v8js)_[a-z0-9_]+/g))
  t.ok(names.size > 12)
  for (const name of names) t.ok((await query(name)).length > 0, name)
  const rules = await (await fetch(`http://127.0.0.1:${port}/api/v1/rules`)).json() as { data: { groups: { rules: { health: string, state: string }[] }[] } } // as above
  t.strictSame(rules.data.groups.flatMap((group) => group.rules).map(({ state }) => state), Array.from({ length: 5 }, () => 'inactive'))
})
