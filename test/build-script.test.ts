import { access, copyFile, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { constants } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Process } from './launch.js'
import { root } from './root.js'

/** A small project of its own, with the script of this one. */
async function project (t: Test) {
  // outside of the project, so that its compiler is in reach by the link alone
  const folder = await mkdtemp(join(tmpdir(), 'build-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await mkdir(`${folder}/scripts`)
  for (const [name, text] of [['server.ts', 'export {}\n'], ['cli.ts', '#!/usr/bin/env node\nexport {}\n'], ['package.json', '{ "type": "module" }']] as const) {
    await writeFile(join(folder, name), text)
  }
  await copyFile(`${root}scripts/build.js`, `${folder}/scripts/build.js`)
  const compilerOptions = { module: 'nodenext', target: 'es2023', rootDir: '.', outDir: 'dist', incremental: true, tsBuildInfoFile: 'dist/.tsbuildinfo', types: [], lib: ['es5'] }
  await writeFile(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions, exclude: ['dist'] }))
  await symlink(`${root}node_modules`, `${folder}/node_modules`)
  const build = async () => {
    const script = new Process(t, process.execPath, ['scripts/build.js'], { cwd: folder })
    const { code } = await script.exited
    return { code, output: script.output }
  }
  return { folder, build }
}

t.test('a build compiles what changed, leaves nothing of what is gone, and makes the command executable each time', async (t) => {
  const { folder, build } = await project(t)
  t.equal((await build()).code, 0)
  await t.resolves(access(`${folder}/dist/cli.js`, constants.X_OK))
  const before = await stat(`${folder}/dist/server.js`)

  await writeFile(`${folder}/cli.ts`, '#!/usr/bin/env node\nexport const changed = 1\n')
  await rm(`${folder}/dist/cli.js`)
  await mkdir(`${folder}/dist/lib`)
  for (const orphan of ['gone.js', 'gone.d.ts', 'gone.js.map', 'lib/gone.js']) await writeFile(`${folder}/dist/${orphan}`, '')
  t.equal((await build()).code, 0)
  await t.resolves(access(`${folder}/dist/cli.js`, constants.X_OK))
  for (const orphan of ['gone.js', 'gone.d.ts', 'gone.js.map', 'lib/gone.js']) await t.rejects(access(`${folder}/dist/${orphan}`), { code: 'ENOENT' }, orphan)
  t.equal((await stat(`${folder}/dist/server.js`)).mtimeMs, before.mtimeMs, 'what did not change is left alone')
})

t.test('without a compiler what is built stays, and where nothing is built the message says what to do', async (t) => {
  const { folder, build } = await project(t)
  await rm(`${folder}/node_modules`)
  t.match(await build(), { code: 1, output: /npm ci/ })
  await mkdir(`${folder}/dist`)
  await writeFile(`${folder}/dist/server.js`, '')
  t.equal((await build()).code, 0)
  await t.resolves(access(`${folder}/dist/server.js`))
})

t.test('a source that does not compile fails the build', async (t) => {
  const { folder, build } = await project(t)
  await writeFile(`${folder}/server.ts`, 'export const wrong: number = "text"\n')
  t.match(await build(), { code: 1, output: /server\.ts.*not assignable/ })
})
