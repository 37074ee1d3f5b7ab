import { acquireOperatorLock, runCommand } from '@slotstream/runtime'
import { openClickHouse } from '../../clickhouse/client.js'
import { aggregatorSettings } from '../../settings.js'
import { clickHouseAccount } from '../clickhouse-account.js'
import { importLog } from './import-log.js'
import { createImports } from './imports.js'
import { parseArguments } from './parse-arguments.js'
import { removeImport } from './remove-import.js'

/** Time that the removal of a large log's rows may take, in milliseconds. */
const REQUEST_TIMEOUT_MS = 30 * 60_000

await runCommand('learning', process.env, args => {
  const command = parseArguments(args)
  return async deps => {
    if (command.do === 'list') {
      const all = await createImports(deps.installation.buckets.meta).list(command.site)
      for (const { name, slotId, at, records, state } of all)
        deps.print(`${name}: slot ${slotId}, ${at}, ${records} items shown, ${state}`)
      if (all.length === 0) deps.print(`${command.site} has learned from no log`)
      return
    }
    const done = await acquireOperatorLock(deps.nats, 'learning')
    if (command.do === 'import') await importLog(command, deps)
    else {
      const { cluster } = aggregatorSettings([], process.env).clickhouse
      const clickhouse = openClickHouse(clickHouseAccount(process.env), 'learning', { timeoutMs: REQUEST_TIMEOUT_MS })
      await removeImport(command.site, command.name, { ...deps, clickhouse, cluster })
      await clickhouse.close()
    }
    done()
  }
})
