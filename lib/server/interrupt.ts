/** npm and tsc-watch pass a Ctrl-C on, some as SIGTERM, to the process, which already has it from the terminal. */
const ECHO_MS = 150

/** What SIGHUP is for: a terminal sends it as it closes, which ends the process; from anyone else it asks for what is new. */
export function onHangup<T> (isTerminal: boolean, end: T, renew: T): T {
  return isTerminal ? end : renew
}

/**
 * A handler for the signals that end the process: `stop` is called for the first, `abort` for the next. Under npm a signal that
 * comes right after another is its echo.
 * @param now a clock in milliseconds
 */
export function onSignal (
  stop: (signal: NodeJS.Signals) => void, abort: (signal: NodeJS.Signals) => void, isUnderNpm: boolean, now: () => number = () => performance.now()
) {
  let last: number | undefined
  return (signal: NodeJS.Signals) => {
    const isEcho = isUnderNpm && last !== undefined && now() - last < ECHO_MS
    const isFirst = last === undefined
    last = now()
    if (isFirst) stop(signal)
    else if (!isEcho) abort(signal)
  }
}
