/** What the server was to listen on. */
interface Place {
  host: string
  port: number
  /** The variable that names the port. */
  variable: string
}

/** An error of listening, as what to do about it; any other as it is. */
export function listenError (error: Error & { code?: string, syscall?: string }, { host, port, variable }: Place): Error {
  const advice = new Map([
    ['EADDRINUSE', `Port ${port} of ${host} is in use: set ${variable} to another one, or stop the process that has it.`],
    ['EACCES', `Port ${port} of ${host} is not for this user: set ${variable} to one from 1024 up.`],
    ['EADDRNOTAVAIL', `${host} is not an address of this machine: set HOST to one that is.`],
    ['ENOTFOUND', `${host} is not an address of this machine: set HOST to one that is.`]
  ]).get(['bind', 'listen', 'getaddrinfo'].includes(String(error.syscall)) ? String(error.code) : '')
  return advice === undefined ? error : new Error(advice, { cause: error })
}
