/** A mistake to plant: a change of a source, and the tests of which one at least must turn red. */
export interface Mistake {
  title: string
  file: string
  /** Found in one place of the file. */
  from: string
  to: string
  /** Test files by their path below test/, without the ending. */
  seenBy: string[]
}

export const mistakes: Mistake[] = [
  // server and command line
  { title: 'no limit on the end of a server with a frozen client', file: 'server.ts', from: '{ delay, logger', to: '{ delay: false, logger', seenBy: ['shutdown'] },
  { title: 'the server stops to listen at once', file: 'server.ts', from: 'const LINGER_MS = 250', to: 'const LINGER_MS = 0', seenBy: ['operations'] },
  { title: 'requests that come while the server closes are 503', file: 'server.ts', from: 'return503OnClosing: false', to: 'return503OnClosing: true', seenBy: ['shutdown', 'operations'] },
  { title: 'requests are not held while the server stops to listen', file: 'server.ts', from: 'connections.hold()', to: '', seenBy: ['operations'] },
  { title: 'a second signal is ignored', file: 'lib/interrupt.ts', from: 'else if (!isEcho) abort(signal)', to: '', seenBy: ['lib/interrupt'] },
  { title: 'a fresh connection counts as idle', file: 'lib/http-connections.ts', from: 'quietSince <= latest', to: 'quietSince <= Infinity', seenBy: ['lib/http-connections'] },
  { title: 'the beginning of a request counts as nothing', file: 'lib/http-connections.ts', from: '&& socket.bytesRead === bytesRead', to: '', seenBy: ['lib/http-connections'] },
  { title: 'the fastest readers are ended', file: 'lib/http-connections.ts', from: 'a.pace - b.pace', to: 'b.pace - a.pace', seenBy: ['lib/http-connections'] },
  { title: 'no limit on unread answers', file: 'lib/http-connections.ts', from: 'if (unread <= this.#unreadBytes) return', to: 'return', seenBy: ['lib/http-connections'] },
  { title: 'an error of the log is thrown', file: 'lib/log-destination.ts', from: '    } catch {\n      return false\n    }', to: '    } finally {}', seenBy: ['lib/log-destination'] },
  { title: 'a log pipe that is not read fills the memory', file: 'lib/log-destination.ts', from: 'pipe.writableLength + text.length > WAITING_BYTES', to: 'false', seenBy: ['lib/log-destination'] },
  { title: 'two Host lines are served', file: 'lib/request-rules.ts', from: 'return count > 1', to: 'return false', seenBy: ['lib/request-rules'] },
  { title: 'any name is served on a loopback address', file: 'lib/served-hosts.ts', from: 'return isLocal || allowed.has(name)', to: 'return true', seenBy: ['lib/request-rules'] },
  { title: 'a name that begins as localhost is served', file: 'lib/served-hosts.ts', from: "name.endsWith('.localhost')", to: "name.includes('localhost')", seenBy: ['lib/request-rules'] },
  { title: 'the message of an error of MongoDB is logged', file: 'lib/logger.ts', from: "if ('codeName' in error) return", to: "if ('nothing' in error) return", seenBy: ['lib/logger'] },
  { title: 'query strings are logged', file: 'lib/logger.ts', from: "path: url.split('?')[0]", to: 'path: url', seenBy: ['lib/logger'] },
  { title: 'a command named like something of every object is run', file: 'cli/main.ts', from: 'Object.hasOwn(userCommands, verb) ? userCommands[verb] : undefined', to: 'userCommands[verb]', seenBy: ['cli'] },
  { title: 'the command line takes any email', file: 'lib/user-commands.ts', from: '    check(givenUser, given)\n', to: '', seenBy: ['lib/user-commands'] },
  { title: 'errors of the command line are exit 0', file: 'cli/main.ts', from: 'return exitStatus', to: 'return 0', seenBy: ['cli'] },
  { title: 'the first variable of a .env file with a byte order mark is lost', file: 'config.ts', from: '.replace(/^\\uFEFF/, \'\')', to: '', seenBy: ['operations'] },
  { title: 'an answer too many behind garbage goes to the next request', file: 'lib/store-guard.ts', from: 'if (isGarbled(error)) this.#idle.discard()', to: '', seenBy: ['lib/garbled'] },
  { title: 'a check of the server that meets a dead connection is the last one', file: 'lib/dead-monitor.ts', from: 'if (connection?.socket?.destroyed)', to: 'if (connection?.socket?.destroyed && false)', seenBy: ['lib/dead-monitor'] },
  { title: 'a garbled reply is the fault of the server', file: 'lib/outage.ts', from: ' || isGarbled(error)', to: '', seenBy: ['lib/outage'] },
  { title: 'a garbled document is the fault of the server', file: 'plugins/errors.ts', from: 'thrown instanceof CorruptBsonError', to: 'false', seenBy: ['plugins/errors'] },
  // access
  { title: 'the port of a proxy counts', file: 'lib/client-network.ts', from: 'bracketed ?? withPort ?? text', to: 'bracketed ?? text', seenBy: ['access/limits'] },
  { title: 'a whole IPv6 address counts', file: 'lib/client-network.ts', from: '.slice(0, 4)', to: '.slice(0, 8)', seenBy: ['access/limits'] },
  { title: 'an attempt is taken off twice', file: 'lib/login-limits.ts', from: '{ [mark.field]: mark.value }', to: '{}', seenBy: ['access/limits'] },
  { title: 'what the database counted too late stays counted', file: 'lib/login-limits.ts', from: 'for (const mark of owed) await', to: 'for (const mark of owed.slice(1e9)) await', seenBy: ['access/limits'] },
  { title: 'an old refresh token is good for ever', file: 'lib/refresh-tokens.ts', from: '<= GRACE_MS', to: '<= Infinity', seenBy: ['access/grants'] },
  { title: 'a refresh token that was just used ends the login', file: 'lib/refresh-tokens.ts', from: "return isRecent ? 'recent' : 'used'", to: "return 'used'", seenBy: ['access/grants'] },
  { title: 'a family outlives its 30 days', file: 'lib/refresh-tokens.ts', from: 'family.expires_at.getTime() > this.#now()', to: 'true', seenBy: ['access/limits'] },
  { title: 'passwords are not normalized', file: 'lib/passwords.ts', from: "password.normalize('NFKC')", to: 'password', seenBy: ['lib/passwords'] },
  { title: 'hashes of before are not good any more', file: 'lib/passwords.ts', from: '!isNormalized && await', to: 'false && await', seenBy: ['lib/passwords'] },
  { title: 'an unknown user is answered sooner', file: 'lib/passwords.ts', from: 'isOurs ? storedHash : NOBODYS_HASH', to: 'storedHash as string', seenBy: ['lib/passwords'] },
  { title: 'a user who gained a scope meanwhile is changed all the same', file: 'routes/users/index.ts', from: ', { lacks })', to: ')', seenBy: ['access/scopes'] },
  { title: 'a store forgets the condition on scopes', file: 'plugins/users.ts', from: '...(lacks.length > 0 && { scopes: { $nin: [...lacks] } })', to: '', seenBy: ['users/mongodb'] },
  { title: 'tokens are read as the URL says', file: 'lib/driver-options.ts', from: ', readPreference: ReadPreference.primary', to: '', seenBy: ['access/primary'] },
  { title: 'a caller may grant any scope', file: 'routes/users/index.ts', from: '    mayGrant(request, reply, body.scopes ?? [])\n', to: '', seenBy: ['access/scopes'] },
  { title: 'a disabled user writes users', file: 'plugins/access.ts', from: '!user || isDisabled(user)', to: '!user', seenBy: ['access/scopes', 'access/attacks'] },
  { title: 'a token in a cookie is taken', file: 'plugins/access.ts', from: "(headers.authorization ?? '')?.[1]", to: "(headers.authorization ?? '')?.[1] ?? headers.cookie?.split('=')[1]", seenBy: ['access/attacks'] },
  { title: 'access tokens of another audience are taken', file: 'lib/access-tokens.ts', from: '      allowedAud: audience,\n', to: '', seenBy: ['access/attacks'] },
  { title: 'any type of token is taken', file: 'lib/access-tokens.ts', from: '      checkTyp: TYPE,\n', to: '', seenBy: ['access/attacks'] },
  { title: 'unknown options are ignored', file: 'lib/check-options.ts', from: 'faults.length + unknown.length > 0', to: 'faults.length > 0', seenBy: ['app'] }
]
