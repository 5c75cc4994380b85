import { loadConfig, misspelled, readEnvFile } from '../config.js'
import { ofCouchbase, ofDatabase } from './doctor/database.js'
import { type Check, error, type Finding, type Means, warning } from './doctor/finding.js'
import { ofFolder } from './doctor/folder.js'
import { ofPort } from './doctor/port.js'
import { ofCertificate, ofKeys } from './doctor/secrets.js'
import { ofNode, ofSettings } from './doctor/settings.js'
import type { Answer } from './program.js'
import type { Surroundings } from './surroundings.js'

/** A store needs room for what is written next, and for a copy of itself as a backup. */
const LEAST_FREE_BYTES = 1024 ** 3

const ofStore: Check = async (config, means) => config.MONGODB_URL ? ofDatabase(config.MONGODB_URL, config) : ofFolder(config, means)

const checks: readonly Check[] = [ofSettings, ofStore, ofCouchbase, ofPort, ofKeys, ofCertificate]

/** Looks whether a server would run well with these settings, on this machine; answers a line for each finding, none of which holds a secret. */
export async function runDoctor ({ env }: Pick<Surroundings, 'env'>, given: Partial<Means> = {}): Promise<Answer> {
  const means = { version: process.versions.node, leastFreeBytes: LEAST_FREE_BYTES, ...given }
  const findings = [ofNode(means), ...await withSettings(env, means)]
  const width = 'warning'.length
  return { text: findings.map(({ state, text }) => `${state.padEnd(width)}  ${text}`).join('\n'), isFault: findings.some(({ state }) => state === 'error') }
}

async function withSettings (env: NodeJS.ProcessEnv, means: Means): Promise<Finding[]> {
  try {
    readEnvFile(env)
    const config = loadConfig(env)
    const found = await Promise.all(checks.map(async (check) => check(config, means).catch(errorsOf)))
    return [...misspelled(env).map(warning), ...found.flat()]
  } catch (fault) {
    return errorsOf(fault as Error) // nothing here throws anything else
  }
}

/** What kept a check from looking, a line for each of its lines. */
function errorsOf ({ message }: Error): Finding[] {
  return message.replace(/^student-course-api: /, '').split('\n').map(error)
}
