import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import ts from 'typescript'

const root = fileURLToPath(new URL('../../', import.meta.url))
const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 }

/** Compiles embedded/ and store-process.ts once, and returns the way to start processes of it. */
export async function storeProcesses (t: Test): Promise<(directory: string) => StoreProcess> {
  const script = await compiled(t, 'store-process')
  return directory => new StoreProcess(script, directory)
}

/**
 * Compiles embedded/ and a script of this folder; answers the script's path. Through tap's loader each process and each worker would compile
 * them anew, for two seconds and more.
 */
export async function compiled (t: Test, script: string): Promise<string> {
  const target = t.testdir()
  const sources = (await readdir(join(root, 'embedded'), { recursive: true })).map(name => join('embedded', name))
  for (const source of [...sources, join('test', 'embedded', `${script}.ts`)]) {
    if (!source.endsWith('.ts')) continue
    const text = await readFile(join(root, source), 'utf8')
    const output = join(target, source.replace(/ts$/, 'js'))
    await mkdir(dirname(output), { recursive: true })
    await writeFile(output, ts.transpileModule(text, { compilerOptions }).outputText)
  }
  return join(target, 'test', 'embedded', `${script}.js`)
}

/** A process of its own that starts a store. */
export class StoreProcess {
  readonly child: ChildProcess
  /** What became of the start. */
  readonly answer: Promise<{ url?: string, error?: string }>
  private readonly exited: Promise<unknown>

  constructor (script: string, directory: string) {
    // No loader of tap, nor its coverage: a killed process reports none.
    this.child = fork(script, [directory], { execArgv: [], env: { PATH: process.env.PATH } })
    this.exited = once(this.child, 'exit')
    this.answer = once(this.child, 'message').then(([answer]) => answer)
  }

  async kill (): Promise<unknown> {
    this.child.kill('SIGKILL')
    return this.exited
  }

  /** Has it call process.exit(3), whatever it is at; resolves with exit code and signal. */
  async exit (): Promise<unknown> {
    this.child.send('exit')
    return this.exited
  }

  /** Resolves with exit code and signal, once the process has ended by itself. */
  async end (): Promise<unknown> {
    this.child.send('end')
    return this.exited
  }
}
