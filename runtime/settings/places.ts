import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Environment, isSet, numberSetting, textSetting } from './read.js'
import { secretSetting } from './secrets.js'

/** File of the data folder in which `npm start` keeps the ports that it uses, by setting, as JSON. */
export const KEPT_PORTS_FILE = 'run/ports.json'

/**
 * Reads where ClickHouse is: CLICKHOUSE_URL, CLICKHOUSE_PORT of this machine, or where the last `npm start` with the
 * same data folder had it, which may be another port than usual.
 *
 * @throws ConfigurationError
 */
export function clickHouseUrl(env: Environment = process.env): string {
  const url = secretSetting('CLICKHOUSE_URL', env)
  return (
    url || `http://127.0.0.1:${orKept('CLICKHOUSE_PORT', numberSetting('CLICKHOUSE_PORT', env, 'aggregator'), env)}`
  )
}

/**
 * Reads where commands look for the collector: PORT of this machine, or where the last `npm start` with the same data
 * folder had it.
 *
 * @throws ConfigurationError
 */
export function collectorOnThisMachine(env: Environment = process.env): string {
  return `http://localhost:${orKept('PORT', numberSetting('PORT', env, 'plan'), env)}`
}

/** Returns a port that is set; else the one that is kept, or the usual one. */
function orKept(name: 'PORT' | 'CLICKHOUSE_PORT', port: number, env: Environment): number {
  return isSet(name, env) ? port : (keptPort(name, env) ?? port)
}

/** Undefined where there is none, and for users who may not read it. */
function keptPort(name: string, env: Environment): number | undefined {
  try {
    const ports: Record<string, unknown> = JSON.parse(
      readFileSync(join(textSetting('DATA_DIR', env), KEPT_PORTS_FILE), 'utf8'),
    )
    const port = Number(ports[name])
    return Number.isInteger(port) && port > 0 && port <= 65_535 ? port : undefined
  } catch {
    return undefined
  }
}
