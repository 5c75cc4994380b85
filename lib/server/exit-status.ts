/** The exit status that a process counts with: of one that a signal ended, success where it was asked to end by that signal. */
export function statusOf (code: number | null, isAsked: boolean): number {
  return code ?? (isAsked ? 0 : 1)
}
