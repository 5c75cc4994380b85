import { Command, Option } from '@commander-js/extra-typings'
import { version } from '../lib/http/version.js'
import { SCOPES } from '../schemas/user.js'
import { runCopy } from './copy-store.js'
import { runDoctor } from './doctor.js'
import { exportFile } from './export.js'
import { importFile } from './import.js'
import { runIndexes } from './indexes.js'
import { runBackup, runCheck } from './store.js'
import type { Surroundings } from './surroundings.js'
import { runUserCommand, runUserList } from './users.js'

/** What a command answers: what to print, and whether it found a fault. */
export interface Answer {
  text: string | undefined
  isFault?: boolean
}

/** The commands with their words and their help; each gives its answer to `done`, and throws where it cannot do what it is asked. */
export function programFor (surroundings: Surroundings, done: (answer: Answer) => void): Command {
  const { stdout, stderr } = surroundings
  const program = new Command('student-course-api')
    .description('Without a command, it starts the server. Commands take their settings from the same variables and the same .env file.')
    .version(version, '--version', 'shows the version')
    .helpOption('--help', 'shows this, or the help of a command')
    .helpCommand('help [command...]', 'the same')
    .exitOverride()
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
    .showHelpAfterError('(--help shows what there is)')
  const print = async (text: Promise<string | undefined>) => done({ text: await text })

  addUserCommands(program.command('users').description('looks after users'), surroundings, print)

  program.command('backup').description('copies the embedded store, also while the server runs')
    .argument('<folder>', 'where the copy goes')
    .action(async (folder) => print(runBackup(folder, surroundings)))

  program.command('check').description('looks for damage in the embedded store or in a backup')
    .argument('[path]', 'a folder or a file, if not DATA_DIR')
    .action(async (path) => print(runCheck(path, surroundings)))

  program.command('copy').description('copies students and users of the embedded store into a MongoDB server, and says what differs then')
    .requiredOption('--to <url>', 'the URL of that server, or - for one from a prompt or from standard input')
    .option('--replace', 'makes the server have what the store has: documents that differ are replaced, and those that the store lacks are deleted')
    .action(async (options) => print(runCopy(options, surroundings)))

  program.command('indexes').description('lists the indexes that lists need and the database lacks')
    .option('--create', 'creates them')
    .action(async ({ create = false }) => print(runIndexes(create, surroundings)))

  const file = 'CSV (.csv) or NDJSON (.ndjson, .jsonl), or - for the pipe, which is NDJSON'
  addBulkOptions(program.command('import').description('stores the records of a file; sent again with its key, it goes on where it ended'))
    .argument('<file>', file)
    .addOption(new Option('--on-error <what>', 'what a row that is not valid does: the others are stored all the same, or the import ends').choices(['stop', 'continue'] as const))
    .option('--dry-run', 'says what would happen, and changes nothing')
    .option('--key <key>', 'the Idempotency-Key of an import that is gone on with')
    .action(async (file, options) => print(importFile(file, options, surroundings)))

  addBulkOptions(program.command('export').description('writes records to a file'))
    .argument('<file>', file)
    .option('--excel', 'CSV for a spreadsheet')
    .option('--query <query>', 'filters, order and fields, as in the query of a list')
    .option('--force', 'overwrites the file')
    .action(async (file, options) => print(exportFile(file, options, surroundings)))

  program.command('doctor').description('looks whether a server would run well here: settings, database, folder, port, keys, certificate')
    .action(async () => done(await runDoctor(surroundings)))

  return program as unknown as Command // whose options are none of its caller's business
}

/** What import and export both take. */
function addBulkOptions (command: Command) {
  return command
    .addOption(new Option('--format <format>', 'of the file, if its name does not say it').choices(['ndjson', 'csv'] as const))
    .option('--resource <name>', 'the resource, default students')
    .option('--url <url>', 'the base URL of a server; without it the configured store is used, also while the server runs')
    .option('--token <->', 'with - the access token for that server comes from a prompt or from standard input')
}

function addUserCommands (users: Command, surroundings: Surroundings, print: (text: Promise<string>) => Promise<void>): void {
  const scopes = ['--scope <scope>', `what the user's tokens may do; repeat it for each of ${SCOPES.join(', ')}`] as const
  const password = 'The password comes from a prompt, or from the first line of standard input.'

  users.command('list').description('lists users with their state and their scopes')
    .action(async () => print(runUserList(surroundings)))

  users.command('add').description('adds a user').argument('<name>', 'the username')
    .option(...scopes, each)
    .option('--email <email>', 'an email address')
    .option('--full-name <text>', 'the name in full')
    .addHelpText('after', `\n${password}`)
    .action(async (name, options) => print(runUserCommand('add', name, options, surroundings)))

  users.command('scopes').description('shows the scopes of a user, or sets them').argument('<name>', 'the username')
    .option(scopes[0], `${scopes[1]}; an empty one for none`, each)
    .action(async (name, options) => print(runUserCommand('scopes', name, options, surroundings)))

  for (const [verb, description] of [
    ['disable', 'disables a user, whose logins end'],
    ['enable', 'enables a user'],
    ['password', `sets a new password, ends all logins of the user, and a lock. ${password}`],
    ['unlock', 'ends a lock after failed logins'],
    ['delete', 'deletes a user, whose logins end']
  ] as const) {
    users.command(verb).description(description).argument('<name>', 'the username').action(async (name) => print(runUserCommand(verb, name, {}, surroundings)))
  }
}

/**
 * Words that ask for help, as commander takes them: `help users add` is `users add --help`, and of a word that is no command it
 * says so, for which it would else show the help of the group.
 */
export function asHelp (program: Command, args: string[]): string[] {
  let isHelp = args.includes('--help')
  let command: Pick<Command, 'commands'> = program
  const words: string[] = []
  for (const word of args.filter((arg) => arg !== '--help')) {
    if (command.commands.length === 0) break
    if (word === 'help') {
      isHelp = true
      continue
    }
    words.push(word)
    const next = command.commands.find((known) => known.name() === word)
    if (next === undefined) return isHelp ? words : args
    command = next
  }
  return isHelp ? [...words, '--help'] : args
}

/** All values of an option that is repeated. */
function each (value: string, before: string[] | undefined): string[] {
  return [...before ?? [], value]
}
