import { ConfigurationError, findAdminToken, secretSetting } from '@slotstream/runtime/settings'
import {
  clickHouseSettings,
  createClient,
  describeRejected,
  describeReplay,
  openClickHouse,
  ReplayError,
  replayOpenBandit,
  replayRejected,
  secretKeyOf,
} from '@slotstream/sources'
import { CommandError } from '@slotstream/tracking-plan'
import { UsageError } from '../usage-error.js'
import { runDecisions } from './decisions/run-decisions.js'
import { type Command, parseArguments, USAGE } from './parse-arguments.js'

try {
  process.stdout.write(await runCommand(parseArguments(process.argv.slice(2), process.env)))
} catch (error) {
  process.stderr.write(`${isExpected(error) ? error.message : ((error as Error).stack ?? error)}\n`)
  // Not only the code: lanes that are still sending would otherwise keep the process alive.
  process.exit(1)
}

function isExpected(error: unknown): error is Error {
  return [ReplayError, CommandError, ConfigurationError, UsageError].some(type => error instanceof type)
}

/** Runs a command; resolves to the text to print at the end. */
async function runCommand(command: Command): Promise<string> {
  if (command.do === 'help') return USAGE
  const adminToken = await findAdminToken()
  const output = process.stdout
  if (command.do === 'open-bandit') {
    const { path, siteId, writeKey, policy, collector } = command
    const client = createClient({ collector, writeKey, adminToken })
    const secretKey = secretSetting('SECRET_KEY') || secretKeyOf(adminToken, siteId)
    const options = { path, siteId, writeKey, secretKey, policy, client, output }
    return describeReplay(await replayOpenBandit(options), siteId)
  }
  if (command.do === 'decisions') return runDecisions(command, adminToken, process.env)
  const { selection, dryRun, collector } = command
  // The admin token does; no message is sent with a write key.
  const client = createClient({ collector, writeKey: '', adminToken })
  const clickhouse = openClickHouse(clickHouseSettings(process.env))
  const summary = await replayRejected({ selection, clickhouse, client, dryRun, output })
  return describeRejected(summary, selection.siteId, dryRun)
}
