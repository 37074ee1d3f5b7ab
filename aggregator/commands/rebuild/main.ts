import { profilesBucket } from '@slotstream/protocol'
import { acquireOperatorLock, neededSetting, runCommand } from '@slotstream/runtime'
import { openClickHouse } from '../../clickhouse/client.js'
import { redisAt } from '../../profiles/store/open-profile-store.js'
import { aggregatorSettings, anonymousDaysSetting, learningBytesSetting } from '../../settings.js'
import { clickHouseAccount } from '../clickhouse-account.js'
import { parseArguments } from './parse-arguments.js'
import { rebuild } from './rebuild.js'

/** Time that one portion of a large table may take, in milliseconds. */
const REQUEST_TIMEOUT_MS = 30 * 60_000

await runCommand('rebuild', process.env, args => {
  const command = parseArguments(args)
  const lake = command.from === 'lake' ? neededSetting('LAKE_DIR', 'the folder that the lake is in') : ''
  return async deps => {
    const done = await acquireOperatorLock(deps.nats, 'rebuild')
    const clickhouse = openClickHouse(clickHouseAccount(process.env), 'rebuild', { timeoutMs: REQUEST_TIMEOUT_MS })
    const anonymousDays = anonymousDaysSetting(process.env)
    const learningBytes = learningBytesSetting(process.env)
    const { clickhouse: account, redisUrl } = aggregatorSettings([], process.env)
    const redis = await redisAt(redisUrl, deps.installation, deps.log)
    const { cluster } = account
    const old = await rebuild(command, { ...deps, clickhouse, lake, cluster, anonymousDays, learningBytes, redis })
    if (old !== undefined)
      deps.print(`the old profiles are kept in the bucket ${profilesBucket(old)}: an aggregator still reads them`)
    redis?.destroy()
    await clickhouse.close()
    done()
  }
})
