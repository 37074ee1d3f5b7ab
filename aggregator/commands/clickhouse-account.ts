import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Environment, secretSetting, textSetting } from '@slotstream/runtime'
import type { ClickHouseServer } from '../clickhouse/client.js'
import { aggregatorSettings } from '../settings.js'

/**
 * Returns the account in the settings; beside an `npm start` with the embedded ClickHouse, the one that may write
 * there.
 *
 * @param env the environment that settings are read from
 */
export function clickHouseAccount(env: Environment): ClickHouseServer {
  const { clickhouse } = aggregatorSettings([], env)
  const file = join(textSetting('DATA_DIR', env), 'clickhouse-password')
  if (secretSetting('CLICKHOUSE_URL', env) || secretSetting('CLICKHOUSE_PASSWORD', env) || !existsSync(file))
    return clickhouse
  return { ...clickhouse, username: 'slotstream', password: readFileSync(file, 'utf8').trim() }
}
