import { MongoClient, type Db } from 'mongodb'
import { find } from '../../embedded/index.js'
import { databaseOf, type Database } from '../chaos/databases.js'
import { launch, listening, type Process } from '../launch.js'

const DATABASE = 'test_kills'

/** The built server on a database of its own, which can be killed and started again. */
export class Api {
  url = ''
  /** What of it can be killed without the server. */
  readonly database: Database | undefined
  #folder: string
  #timeoutMs: number
  #process: Process | undefined
  #client: MongoClient | undefined

  /** @param name `embedded`, where the store lives in the server's process, or `secantus` */
  constructor (name: string, folder: string, timeoutMs: number) {
    if (name !== 'embedded' && name !== 'secantus') throw new Error('--database is embedded or secantus')
    this.database = name === 'secantus' ? databaseOf(name, `${folder}/secantus`) : undefined
    this.#folder = folder
    this.#timeoutMs = timeoutMs
  }

  async start (env: NodeJS.ProcessEnv = {}, preload?: URL): Promise<void> {
    if (this.database && this.database.url === '') await this.database.start()
    const store = this.database ? { MONGODB_URL: this.database.url } : { DATA_DIR: `${this.#folder}/store` }
    const fixed = { ...store, MONGODB_DATABASE: DATABASE, MONGODB_TIMEOUT_MS: String(this.#timeoutMs), LOG_LEVEL: 'warn', DOCS: 'off' }
    // what it started is stopped here, one after the other
    this.#process = launch({ teardown: () => {} }, { ...fixed, ...env }, { cwd: this.#folder, execArgv: preload ? ['--import', preload.href] : [] })
    this.url = await listening(this.#process)
  }

  /** How the process ended. */
  get exited (): Process['exited'] | undefined {
    return this.#process?.exited
  }

  get isRunning (): boolean {
    const { exitCode, signalCode } = this.#process?.child ?? { exitCode: 0 }
    return exitCode === null && signalCode === null
  }

  get output (): string {
    return this.#process?.output ?? ''
  }

  async kill (): Promise<void> {
    // that of the embedded store ends with it
    await this.#client?.close()
    this.#client = undefined
    this.#process?.child.kill('SIGKILL')
    await this.exited
  }

  /** The database, beside the server; that of the embedded store is there while the server is. */
  async stored (): Promise<Db> {
    const url = this.database?.url ?? await find(`${this.#folder}/store`)
    if (url === undefined) throw new Error('the embedded store is not there')
    this.#client ??= await MongoClient.connect(url)
    return this.#client.db(DATABASE)
  }

  async stop (): Promise<void> {
    await this.kill()
    await this.database?.kill()
  }
}
