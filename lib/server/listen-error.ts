/** What the server was to listen on. */
interface Place {
  HOST: string
  PORT: number
}

/** An error of listening, as what to do about it; any other as it is. */
export function listenError (error: Error & { code?: string, syscall?: string }, { HOST, PORT }: Place): Error {
  const advice = new Map([
    ['EADDRINUSE', `Port ${PORT} of ${HOST} is in use: set PORT to another one, or stop the process that has it.`],
    ['EACCES', `Port ${PORT} of ${HOST} is not for this user: set PORT to one from 1024 up.`],
    ['EADDRNOTAVAIL', `${HOST} is not an address of this machine: set HOST to one that is.`],
    ['ENOTFOUND', `${HOST} is not an address of this machine: set HOST to one that is.`]
  ]).get(error.syscall === 'listen' || error.syscall === 'getaddrinfo' ? String(error.code) : '')
  return advice === undefined ? error : new Error(advice, { cause: error })
}
