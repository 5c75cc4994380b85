import { ok, type Command } from './command.js'

export const endSessions: Command = {
  fields: { endSessions: 'array' },
  run: (request, { cursors }) => {
    for (const session of request.documents('endSessions')) cursors.endSession(session.toString('hex'))
    return ok()
  }
}
