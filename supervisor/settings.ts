import { resolve } from 'node:path'
import { type Environment, isSet, numberSetting, secretSetting, textSetting } from '@slotstream/runtime'

/** Ports that only the services of one start use among themselves, and people who look: another one does as well. */
const INNER_PORTS = ['AGGREGATOR_PORT', 'WAREHOUSE_PORT', 'NATS_PORT', 'CLICKHOUSE_PORT'] as const

/**
 * Reads what `npm start` runs, and where. Every default can be changed by the environment variable of the same meaning.
 */
export function supervisorSettings(env: Environment) {
  return {
    /** DATA_DIR: everything that is kept. */
    dataDir: resolve(textSetting('DATA_DIR', env)),
    /** PORT of the collector. */
    port: numberSetting('PORT', env, 'start'),
    /** AGGREGATOR_PORT: health and metrics of the aggregator's roles that visitors wait for. */
    aggregatorPort: numberSetting('AGGREGATOR_PORT', env, 'start'),
    /** WAREHOUSE_PORT: health and metrics of the aggregator's role that loads ClickHouse. */
    warehousePort: numberSetting('WAREHOUSE_PORT', env, 'start'),
    /** NATS_URL of your own servers; otherwise one is started on NATS_PORT. */
    natsUrl: secretSetting('NATS_URL', env),
    natsPort: numberSetting('NATS_PORT', env, 'start'),
    /** Inner ports that are not set. One that is taken moves to the next free one. */
    movablePorts: INNER_PORTS.filter(name => !isSet(name, env)) as string[],
    /** NATS_RUN_AS: user of the started one when root starts it, a name or `uid:gid`; a number needs no account. */
    natsRunAs: textSetting('NATS_RUN_AS', env),
    /**
     * CLICKHOUSE_URL of your own server, with CLICKHOUSE_USER and CLICKHOUSE_PASSWORD; otherwise one is started on
     * CLICKHOUSE_PORT.
     */
    clickhouseUrl: secretSetting('CLICKHOUSE_URL', env),
    clickhousePort: numberSetting('CLICKHOUSE_PORT', env, 'start'),
    clickhouseUser: textSetting('CLICKHOUSE_USER', env),
    clickhousePassword: secretSetting('CLICKHOUSE_PASSWORD', env),
    /** CLICKHOUSE_RUN_AS: user of the started one when root starts it, likewise. */
    clickhouseRunAs: textSetting('CLICKHOUSE_RUN_AS', env),
    /** LAKE_DIR: folder of the lake; empty: there is none. */
    lakeDir: textSetting('LAKE_DIR', env),
    /** ADMIN_TOKEN; otherwise one is made and kept under the data folder. */
    adminToken: secretSetting('ADMIN_TOKEN', env),
  }
}

export type SupervisorSettings = ReturnType<typeof supervisorSettings>
