import { type Config, warningsOf } from '../../config.js'
import { error, type Finding, type Means, ok, warning } from './finding.js'

const OLDEST_NODE = [20, 19] as const

export function ofNode ({ version }: Means): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [leastMajor, leastMinor] = OLDEST_NODE
  const isNewEnough = major > leastMajor || (major === leastMajor && minor >= leastMinor)
  return isNewEnough ? ok(`Node ${version}`) : error(`Node ${version} is too old: install ${leastMajor}.${leastMinor} or newer`)
}

/** Settings that are right one by one, and not together. */
export async function ofSettings (config: Config): Promise<Finding[]> {
  return [ok(`access control is ${config.AUTH}, the address is ${config.HOST}`), ...warningsOf(config).map(warning)]
}
