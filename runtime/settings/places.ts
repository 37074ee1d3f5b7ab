import { type Environment, numberSetting } from './read.js'
import { secretSetting } from './secrets.js'

/** Reads where ClickHouse is: CLICKHOUSE_URL, or CLICKHOUSE_PORT of this machine. Throws ConfigurationError. */
export function clickHouseUrl(env: Environment = process.env): string {
  return (
    secretSetting('CLICKHOUSE_URL', env) || `http://127.0.0.1:${numberSetting('CLICKHOUSE_PORT', env, 'aggregator')}`
  )
}

/** Reads where commands look for the collector: PORT of this machine. Throws ConfigurationError. */
export function collectorOnThisMachine(env: Environment = process.env): string {
  return `http://localhost:${numberSetting('PORT', env, 'plan')}`
}
