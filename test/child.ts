import { Process } from './launch.js'
import { root } from './root.js'

interface Test {
  testdir (): string
  teardown (stop: () => unknown): void
}

/**
 * Runs a server of this project, given by its path from the root, on an embedded store of its own and, by default, a free port.
 * Answers when it has printed its URL.
 */
export async function startServer (t: Test, path: string, { port = 0, ...variables }: { port?: number, [name: string]: unknown } = {}) {
  const folder = t.testdir()
  const env = { ...process.env, PORT: String(port), DATA_DIR: folder, MONGODB_URL: '', ...variables }
  // in a folder of its own there is no .env file
  const server = new Process(t, process.execPath, [root + path], { cwd: folder, env })
  const [url] = await server.prints(/http:\/\/[^\s/]+:\d+/)
  return {
    url,
    folder,
    output: () => server.output,
    /** Sends SIGTERM and answers how the process ended. */
    stop: async () => {
      server.child.kill('SIGTERM')
      return server.exited
    }
  }
}
