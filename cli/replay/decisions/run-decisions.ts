import type { Environment } from '@slotstream/runtime/settings'
import { clickHouseSettings } from '@slotstream/sources'
import { createAdminCall } from '../../admin-call.js'
import { onlySite } from '../../only-site.js'
import type { Command } from '../parse-arguments.js'
import { readAlternative } from './alternative.js'
import { readDecisions } from './read-decisions.js'
import { replayDecisions } from './replay-decisions.js'
import { createSlotVersions } from './slot-versions.js'
import { writeReport } from './write-report.js'

/**
 * Replays the decisions of a period, and resolves to what is to be printed.
 *
 * @param env says where ClickHouse is
 * @throws CommandError when decisions, catalogs or files cannot be read
 */
export async function runDecisions(
  { period, with: names, bots, json, collector }: Extract<Command, { do: 'decisions' }>,
  adminToken: string,
  env: Environment,
): Promise<string> {
  const alternatives = await Promise.all(names.map(async name => ({ name, alternative: await readAlternative(name) })))
  const clickhouse = clickHouseSettings(env)
  const site = period.site ?? (await onlySite(period, clickhouse))
  const call = createAdminCall(collector, site, adminToken)
  // A name that is mistyped has no decisions, which would look as if nothing was wrong.
  await call('GET', '/experiments')
  const versions = createSlotVersions(call)
  const decisions = readDecisions({ ...period, site }, clickhouse, bots === 'exclude' && names.length > 0)
  const report = await replayDecisions(site, decisions, versions, alternatives)
  return json ? `${JSON.stringify(report)}\n` : writeReport(report)
}
