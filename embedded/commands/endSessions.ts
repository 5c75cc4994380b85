import { ok, type Run } from './command.js'

export const endSessions: Run = (request, { cursors }) => {
  for (const session of request.documents('endSessions')) cursors.endSession(session.toString('hex'))
  return ok()
}
