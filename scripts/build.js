// Compiles what changed into dist/. Without a compiler, as after `npm prune --omit=dev`, what is built stays.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')

const compiler = findCompiler()
if (compiler !== undefined) process.exitCode = build(compiler)
else if (!existsSync(join(dist, 'server.js'))) {
  console.error('There is nothing built in dist/, and no compiler to build it: run npm ci first.')
  process.exitCode = 1
}

function findCompiler () {
  try {
    return createRequire(import.meta.url).resolve('typescript/bin/tsc')
  } catch {
    return undefined
  }
}

function build (compiler) {
  removeOrphans()
  const { status } = spawnSync(process.execPath, [compiler, '--build', join(root, 'tsconfig.json')], { stdio: 'inherit' })
  // npm makes it executable once, when it links the command: a file that is built anew is not
  if (existsSync(join(dist, 'cli.js'))) chmodSync(join(dist, 'cli.js'), 0o755)
  return status ?? 1
}

/** Removes what an older build left of sources that are gone. */
function removeOrphans () {
  if (!existsSync(dist)) return
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const source = join(root, relative(dist, path)).replace(/\.(d\.ts|js|js\.map)$/, '.ts')
    if (entry.isFile() && source.endsWith('.ts') && !existsSync(source)) rmSync(path)
  }
}
