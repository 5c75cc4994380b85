// The benchmarks, as the scripts of the project's root call them: npm run bench, bench:bulk, bench:embedded, bench:pressure, figures and flame, each with -- --help
import { Command } from '@commander-js/extra-typings'
import { benchCommand } from './bench.js'
import { bulkCommand } from './bulk.js'
import { embeddedCommand } from './embedded.js'
import { figuresCommand } from './figures.js'
import { flameCommand } from './flame.js'
import { pressureCommand } from './pressure.js'
import { fromRoot } from './process.js'

// paths count from the project's root
process.chdir(fromRoot('.'))
// what was started ends with this process
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

const program = new Command('npm run')
for (const command of [benchCommand, bulkCommand, embeddedCommand, figuresCommand, flameCommand, pressureCommand]) program.addCommand(command.usage('-- [options]'))
try {
  await program.parseAsync()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
