import { acquireOperatorLock, runCommand } from '@slotstream/runtime'
import { openClickHouse } from '../../clickhouse/client.js'
import { aggregatorSettings } from '../../settings.js'
import { clickHouseAccount } from '../clickhouse-account.js'
import { importLog } from './import-log.js'
import { createImports } from './imports.js'
import { parseArguments } from './parse-arguments.js'
import { removeImport } from './remove-import.js'

/** As long as the rows of a large log may take to leave, in milliseconds. */
const REQUEST_TIMEOUT_MS = 30 * 60_000

await runCommand('learning', process.env, args => {
  const order = parseArguments(args)
  return async parts => {
    if (order.do === 'list') {
      const all = await createImports(parts.installation.buckets.meta).list(order.site)
      for (const { name, slotId, at, records, state } of all)
        parts.say(`${name}: slot ${slotId}, ${at}, ${records} items shown, ${state}`)
      if (all.length === 0) parts.say(`${order.site} has learned from no log`)
      return
    }
    const done = await acquireOperatorLock(parts.nats, 'learning')
    if (order.do === 'import') await importLog(order, parts)
    else {
      const { cluster } = aggregatorSettings([], process.env).clickhouse
      const clickhouse = openClickHouse(clickHouseAccount(process.env), 'learning', { timeoutMs: REQUEST_TIMEOUT_MS })
      await removeImport(order.site, order.name, { ...parts, clickhouse, cluster })
      await clickhouse.close()
    }
    done()
  }
})
