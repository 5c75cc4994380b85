import { join } from 'node:path'
import { fromRoot, run } from './process.js'

/** A revision of this project, built in a folder of its own below `folder`; answers its root. */
export async function checkout (revision: string, folder: string): Promise<string> {
  const root = join(folder, 'revision')
  const { stdout } = await run('git', ['rev-parse', '--verify', `${revision}^{commit}`], { cwd: fromRoot('.') })
  await run('git', ['clone', '--quiet', '--shared', '--no-checkout', fromRoot('.'), root])
  await run('git', ['checkout', '--quiet', '--detach', stdout.trim()], { cwd: root })
  await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root })
  await run('npm', ['run', 'build'], { cwd: root })
  return root
}
