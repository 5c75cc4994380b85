import { parentPort, workerData } from 'node:worker_threads'
import { serve, type ServerOptions } from './server.js'

// The starter passes the options as they are; an error on the way reaches it as the worker's 'error' event.
const server = await serve(workerData as ServerOptions)

parentPort?.postMessage(server.port)
parentPort?.once('message', () => {
  // With the port closed nothing is left to wait for, and the thread ends by itself.
  server.close().finally(() => parentPort?.close())
})
