import Fastify, { type FastifyInstance } from 'fastify'
import { type Config, loadConfig, readEnvFile } from '../config.js'

/** Where a command takes its configuration, secrets and place from, and where it prints. */
export interface Surroundings {
  env: NodeJS.ProcessEnv
  stdin: NodeJS.ReadableStream & { isTTY?: boolean }
  stdout: NodeJS.WritableStream
  stderr: NodeJS.WritableStream
}

/** Runs a command with the configuration of the server, and closes after it what it opened in the app. */
export async function withApp<T> ({ env }: Pick<Surroundings, 'env'>, command: (app: FastifyInstance, config: Config) => Promise<T>): Promise<T> {
  const app = Fastify()
  try {
    return await command(app, configOf(env))
  } finally {
    await app.close()
  }
}

export function configOf (env: NodeJS.ProcessEnv): Config {
  readEnvFile(env)
  return loadConfig(env)
}
