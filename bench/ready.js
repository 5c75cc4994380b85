// Installs what the benchmarks need where package-lock.json is newer than what is there.
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const timeOf = (name) => statSync(new URL(name, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0

if (timeOf('node_modules/.package-lock.json') <= timeOf('package-lock.json')) {
  console.error('Installing what the benchmarks need, as package-lock.json is new here.')
  // npm, which runs this, says where it is; what stands in PATH is a script of a shell on Windows
  const install = [process.env.npm_execpath, 'ci', '--no-audit', '--no-fund']
  const { status } = spawnSync(process.execPath, install, { cwd: fileURLToPath(new URL('.', import.meta.url)), stdio: ['ignore', 2, 2] })
  process.exitCode = status ?? 1
}
