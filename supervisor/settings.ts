import { resolve } from 'node:path'
import { numberSetting, secretSetting, textSetting } from '@slotstream/runtime'

/** What `npm start` runs where. Every default can be changed by the environment variable of the same meaning. */
export function supervisorSettings(env: NodeJS.ProcessEnv = process.env) {
  const port = (name: string, fallback: number) => numberSetting(name, fallback, { min: 1, max: 65535, env })
  return {
    /** DATA_DIR: everything that is kept. */
    dataDir: resolve(textSetting('DATA_DIR', '.data', env)),
    /** PORT of the collector. */
    port: port('PORT', 3000),
    /** AGGREGATOR_PORT: health and metrics of the aggregator's roles that visitors wait for. */
    aggregatorPort: port('AGGREGATOR_PORT', 3001),
    /** WAREHOUSE_PORT: health and metrics of the aggregator's role that loads ClickHouse. */
    warehousePort: port('WAREHOUSE_PORT', 3002),
    /** NATS_URL of your own servers; otherwise one is started on NATS_PORT. */
    natsUrl: secretSetting('NATS_URL', '', env),
    natsPort: port('NATS_PORT', 4222),
    /** NATS_RUN_AS: user of the started one when root starts it, a name or `uid:gid`; a number needs no account. */
    natsRunAs: textSetting('NATS_RUN_AS', '64222', env),
    /** CLICKHOUSE_URL of your own server, with CLICKHOUSE_USER and CLICKHOUSE_PASSWORD; otherwise one is started on CLICKHOUSE_PORT. */
    clickhouseUrl: secretSetting('CLICKHOUSE_URL', '', env),
    clickhousePort: port('CLICKHOUSE_PORT', 8123),
    clickhouseUser: textSetting('CLICKHOUSE_USER', '', env),
    clickhousePassword: secretSetting('CLICKHOUSE_PASSWORD', '', env),
    /** CLICKHOUSE_RUN_AS: user of the started one when root starts it, likewise. */
    clickhouseRunAs: textSetting('CLICKHOUSE_RUN_AS', 'nobody', env),
    /** ADMIN_TOKEN; otherwise one is made and kept under the data folder. */
    adminToken: secretSetting('ADMIN_TOKEN', '', env),
  }
}

export type SupervisorSettings = ReturnType<typeof supervisorSettings>
