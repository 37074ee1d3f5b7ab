import { join, resolve } from 'node:path'
import { natsServerAdvice } from './advice.js'
import { circumstances } from './machine/circumstances.js'
import { type Machine, thisMachine } from './machine/machine.js'
import { askVersion, parseVersion } from './machine/version.js'
import { type ObtainLog, obtain, type Program } from './obtain.js'
import { planNatsServer, planPackagedNatsServer } from './plan.js'
import { natsRelease, type Release } from './release.js'

/** Oldest nats-server that will do, as [major, minor]: the aggregator needs the JetStream features of 2.9. */
const oldest = [2, 9] as const

/** Oldest that is taken before a newer one has been tried to get: the one before locks up when its disk is full. */
const preferred = [2, 10] as const

type Oldest = typeof oldest | typeof preferred

/**
 * Finds nats-server, or fetches it, and resolves to its absolute path. In order: NATS_SERVER_PATH; one that is 2.10 or
 * later on PATH or in the sbin folders, then in `<dataDir>/bin`; the official release, checked against a pinned
 * SHA-256, into `<dataDir>/bin`, unless it could not be fetched in the last day; one that is 2.9 in the same places;
 * Debian's package, unpacked into `<dataDir>/bin`, or Homebrew; the release, whenever it failed. `log` hears of
 * anything that takes time, and what a 2.9 lacks. Throws ConfigurationError when NATS_SERVER_PATH is no good, and
 * ProgramMissingError, which names everything that was tried and the command to type, when nothing worked.
 */
export async function obtainNatsServer(options: NatsServerOptions): Promise<string> {
  return obtainBy(planNatsServer, options)
}

/**
 * Fetches the package manager's nats-server, which may be a 2.9, whatever else there is. Throws ProgramMissingError.
 */
export async function obtainPackagedNatsServer(options: NatsServerOptions): Promise<string> {
  return obtainBy(planPackagedNatsServer, options)
}

interface NatsServerOptions {
  dataDir: string
  log: ObtainLog
  machine?: Machine
  release?: Release
}

async function obtainBy(
  plan: typeof planNatsServer,
  { dataDir, log, machine = thisMachine(), release = natsRelease() }: NatsServerOptions,
): Promise<string> {
  const binFolder = join(resolve(dataDir), 'bin')
  const at = await circumstances(machine)
  const versionOf = remembered((path: string) => findVersion(machine, path))
  const program: Program = {
    name: 'nats-server',
    wanted: `nats-server ${oldest.join('.')} or later`,
    objection: async (path, isPreferred) => objectionTo(await versionOf(path), isPreferred ? preferred : oldest),
    advice: natsServerAdvice(at, binFolder, release),
  }
  const path = await obtain(program, plan(at, binFolder, release), { machine, binFolder, log })
  // What was fetched has been at another path before.
  const version = await findVersion(machine, path)
  if (typeof version !== 'string' && !isAtLeast(version, preferred))
    log(
      `nats-server ${version.text} is used (${path}), which locks up when its disk is full, and in a cluster can't be ` +
        `given another number of streams: ${preferred.join('.')} or later is better. Name one in NATS_SERVER_PATH`,
    )
  return path
}

type Version = NonNullable<ReturnType<typeof parseVersion>>

/** Finds the version of a program, or why it has none. */
async function findVersion(machine: Machine, path: string): Promise<Version | string> {
  const answer = await askVersion(machine, path)
  if ('objection' in answer) return answer.objection
  return parseVersion(answer.printed) ?? `it printed no version but "${answer.printed.trim()}"`
}

function objectionTo(version: Version | string, needed: Oldest): string | undefined {
  if (typeof version === 'string') return version
  return isAtLeast(version, needed) ? undefined : `version ${version.text} is older than ${needed.join('.')}`
}

function isAtLeast({ major, minor }: Version, [neededMajor, neededMinor]: Oldest): boolean {
  return major > neededMajor || (major === neededMajor && minor >= neededMinor)
}

/** Asks once for each path: a start should not wait for the same answer twice. */
function remembered<T>(ask: (path: string) => Promise<T>): (path: string) => Promise<T> {
  const answers = new Map<string, Promise<T>>()
  return path => {
    const answer = answers.get(path) ?? ask(path)
    answers.set(path, answer)
    return answer
  }
}
