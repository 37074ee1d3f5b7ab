import { sharedSettings } from '../installation/environment.js'
import type { Installation } from '../installation/installation.js'
import { provision } from '../installation/provision.js'
import { connectNats, type Nats } from '../nats/connection/nats.js'
import { createPublisher, type Publisher } from '../nats/publish/publisher.js'
import { createLog, type Log } from '../process/log.js'
import { within } from '../process/within.js'
import { ConfigurationError, type Environment, isSet } from '../settings/read.js'

/** How long a command waits for the broker before it says so and ends, in milliseconds. */
const CONNECT_MS = 30_000

/** And for its streams and buckets: those of a cluster may just be electing their leaders. */
const PROVISION_MS = 60_000

/** A command line that cannot be parsed. The message says how it should be. */
export class UsageError extends Error {
  override name = 'UsageError'
  readonly code = 'usage'
}

/** The connections of a command, and how it prints. */
export interface CommandDeps {
  nats: Nats
  publisher: Publisher
  installation: Installation
  log: Log
  /** Prints a line. */
  print: (line: string) => void
}

/**
 * Runs a command of an operator against the installation that the settings name, and ends the process: 0 when it did
 * what was asked, 1 when something failed, 2 when the command line cannot be parsed.
 *
 * @param env the environment that settings are read from
 * @param parseArguments turns the command line into a piece of work. Throws UsageError
 */
export async function runCommand(
  name: string,
  env: Environment,
  parseArguments: (args: string[]) => (deps: CommandDeps) => Promise<void>,
): Promise<never> {
  try {
    const work = parseArguments(process.argv.slice(2))
    const settings = sharedSettings(env)
    const log = createLog(name)
    if (!isSet('LOG_LEVEL', env)) log.level = 'silent'
    const servers = settings.nats.servers.join(', ')
    const nats = await inTime(
      CONNECT_MS,
      `no answer from NATS at ${servers} within ${CONNECT_MS / 1000} s: is it running? See NATS_URL`,
      connectNats(settings.nats, name, log),
    )
    const installation = await inTime(
      PROVISION_MS,
      `NATS at ${servers} has not made its streams and buckets ready within ${PROVISION_MS / 1000} s: do enough of its servers run?`,
      provision(nats, settings, log),
    )
    const publisher = createPublisher(nats)
    await work({ nats, publisher, installation, log, print: console.log })
    publisher.close()
    await nats.close()
    process.exit(0)
  } catch (error) {
    const isExpected = error instanceof UsageError || error instanceof ConfigurationError
    console.error(isExpected || error instanceof Error ? error.message : error)
    process.exit(isExpected ? 2 : 1)
  }
}

/** Waits for work, `ms` milliseconds at most. Throws an Error with the message when it takes longer. */
async function inTime<T>(ms: number, message: string, work: Promise<T>): Promise<T> {
  const done = await within(ms, work)
  if (!done) throw new Error(message)
  return done.value
}
