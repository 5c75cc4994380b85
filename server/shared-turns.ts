import { LoginTurns, type EndTurn, type LoginQueueOptions } from '../lib/access/login-queue.js'

/** The turns to check a password, of several processes together. */
export class SharedTurns<Process extends object> {
  #turns: LoginTurns
  /** Those that processes have, by the ids under which they asked. */
  #taken = new Map<Process, Map<number, EndTurn>>()
  #ended = new WeakSet<Process>()

  constructor (options?: LoginQueueOptions) {
    this.#turns = new LoginTurns(options)
  }

  /** Resolves when the turn has come: to true, or to false where too many wait or the process has ended meanwhile. */
  async ask (process: Process, id: number): Promise<boolean> {
    const end = await this.#turns.take().catch(() => undefined)
    if (!end) return false
    if (this.#ended.has(process)) {
      end()
      return false
    }
    const taken = this.#taken.get(process) ?? new Map<number, EndTurn>()
    this.#taken.set(process, taken.set(id, end))
    return true
  }

  /** The password is checked. */
  end (process: Process, id: number): void {
    const taken = this.#taken.get(process)
    taken?.get(id)?.()
    taken?.delete(id)
  }

  /** What a process that has ended had goes to others. */
  ended (process: Process): void {
    this.#ended.add(process)
    for (const end of this.#taken.get(process)?.values() ?? []) end()
    this.#taken.delete(process)
  }
}
