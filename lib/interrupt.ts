/** npm passes a Ctrl-C on to the process, which already has it from the terminal. */
const ECHO_MS = 150

/**
 * A handler for SIGINT that calls `stop` once per Ctrl-C: under npm each arrives twice.
 * @param now a clock in milliseconds
 */
export function onInterrupt (stop: () => void, isUnderNpm: boolean, now: () => number = () => performance.now()) {
  let last = -Infinity
  return () => {
    const isEcho = isUnderNpm && now() - last < ECHO_MS
    last = now()
    if (!isEcho) stop()
  }
}
