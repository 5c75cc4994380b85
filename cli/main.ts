import { CommanderError } from '@commander-js/extra-typings'
import { asHelp, programFor } from './program.js'
import type { Surroundings } from './surroundings.js'

/** The exit status where the words are wrong. */
const WRONG_WORDS = 2

/** Runs one command of the command line; answers the exit status of the process. */
export async function main (args: string[], surroundings: Surroundings): Promise<number> {
  let status = 0
  // where a file goes to standard output, nothing else does
  const program = programFor(surroundings, ({ text, isFault = false }) => {
    if (text !== undefined) surroundings.stdout.write(`${text}\n`)
    if (isFault) status = 1
  })
  try {
    await program.parseAsync(asHelp(program, args), { from: 'user' })
    return status
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_WORDS // it has told what is wrong, or shown the help
    const { message, exitStatus = 1 } = error as Error & { exitStatus?: number } // nothing here throws anything else
    surroundings.stderr.write(`${message}\n`)
    return exitStatus
  }
}
