import { parseSite } from '@slotstream/protocol'
import { type CommandParts, runCommand, usableValue } from '@slotstream/runtime'
import { openClickHouse } from '../../clickhouse/client.js'
import { checkSite } from '../../parity/check-site.js'
import { reportLines } from '../../parity/table.js'
import { watchJobs } from '../../people/watch-jobs.js'
import { createSitesDefinitions } from '../../profiles/definitions/compiled-definitions.js'
import { watchDefinitions } from '../../profiles/definitions/watch-definitions.js'
import { anonymousDaysSetting } from '../../settings.js'
import { clickHouseAccount } from '../clickhouse-account.js'
import { type Order, understand } from './understand.js'

/** As long as a query over all events of a site may take, in milliseconds. */
const REQUEST_TIMEOUT_MS = 10 * 60_000

await runCommand('parity', process.env, args => {
  const order = understand(args)
  return parts => report(order, parts)
})

/** @throws Error when something differs, or nothing could be compared, after the report was printed */
async function report(
  { site, sample, salt, json }: Order,
  { nats, installation, log, say }: CommandParts,
): Promise<void> {
  const { buckets } = installation
  const entry = await buckets.sites.get(site)
  const settings = entry?.operation === 'PUT' ? usableValue('sites', entry, parseSite, log) : undefined
  if (!settings) throw new Error(`there is no site ${site}`)
  const definitions = createSitesDefinitions(log)
  const watching = await watchDefinitions(nats, buckets.definitions, definitions.set, log)
  const jobs = await watchJobs(nats, buckets.jobs, log)
  const clickhouse = openClickHouse(clickHouseAccount(process.env), 'parity', { timeoutMs: REQUEST_TIMEOUT_MS })
  const result = await checkSite(settings, sample, salt ?? new Date().toISOString().slice(0, 10), {
    nats,
    installation,
    clickhouse,
    definitionsOf: definitions.of,
    anonymousDays: anonymousDaysSetting(process.env),
    quiet: jobs.quiet,
  })
  jobs.stop()
  watching.stop()
  await clickhouse.close()
  for (const line of json ? [JSON.stringify(result, undefined, 2)] : reportLines(result)) say(line)
  if (result.compared === 0 && result.skipped.unanswered + result.skipped.unloaded > 0)
    throw new Error('no visitor could be compared: are the roles profiles and warehouse running?')
  if (result.different > 0) throw new Error(`${result.different} of ${result.compared} visitors differ`)
}
