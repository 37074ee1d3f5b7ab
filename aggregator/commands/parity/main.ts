import { parseSite } from '@slotstream/protocol'
import { type CommandDeps, runCommand, usableValue } from '@slotstream/runtime'
import { reportLines } from '../../parity/table.js'
import { withChecks } from '../../parity/with-checks.js'
import { anonymousDaysSetting } from '../../settings.js'
import { clickHouseAccount } from '../clickhouse-account.js'
import { type Command, parseArguments } from './parse-arguments.js'

await runCommand('parity', process.env, args => {
  const command = parseArguments(args)
  return deps => report(command, deps)
})

/** @throws Error when something differs, or nothing could be compared, after the report was printed */
async function report(
  { site, sample, salt, json }: Command,
  { nats, installation, log, print }: CommandDeps,
): Promise<void> {
  const entry = await installation.buckets.sites.get(site)
  const settings = entry?.operation === 'PUT' ? usableValue('sites', entry, parseSite, log) : undefined
  if (!settings) throw new Error(`there is no site ${site}`)
  const deps = {
    nats,
    installation,
    clickhouse: clickHouseAccount(process.env),
    anonymousDays: anonymousDaysSetting(process.env),
    log,
  }
  const result = await withChecks(deps, check => check(settings, sample, salt))
  for (const line of json ? [JSON.stringify(result, undefined, 2)] : reportLines(result)) print(line)
  if (result.compared === 0 && result.skipped.unanswered + result.skipped.unloaded > 0)
    throw new Error('no visitor could be compared: are the roles profiles and warehouse running?')
  if (result.different > 0) throw new Error(`${result.different} of ${result.compared} visitors differ`)
}
