import { join, resolve } from 'node:path'
import { natsServerAdvice } from './advice.js'
import { circumstances } from './circumstances.js'
import { type Machine, thisMachine } from './machine.js'
import { type ObtainLog, obtain, type Program } from './obtain.js'
import { planNatsServer } from './plan.js'
import { natsRelease, type Release } from './release.js'
import { askVersion, parseVersion } from './version.js'

/** Oldest nats-server that will do, as [major, minor]: the aggregator needs the JetStream features of 2.9. */
const oldest = [2, 9] as const

/**
 * Finds nats-server, or fetches it, and resolves to its absolute path. In order: NATS_SERVER_PATH; PATH and the sbin
 * folders; `<dataDir>/bin`; Debian's package, unpacked into `<dataDir>/bin`, or Homebrew; the official release,
 * checked against a pinned SHA-256, into `<dataDir>/bin`. One older than 2.9 is passed over.
 * `log` hears of anything that takes time. Throws ConfigurationError when NATS_SERVER_PATH is no good, and
 * ProgramMissingError, which names everything that was tried and the command to type, when nothing worked.
 */
export async function obtainNatsServer({
  dataDir,
  log,
  machine = thisMachine(),
  release = natsRelease(),
}: {
  dataDir: string
  log: ObtainLog
  machine?: Machine
  release?: Release
}): Promise<string> {
  const binFolder = join(resolve(dataDir), 'bin')
  const at = await circumstances(machine)
  const program: Program = {
    name: 'nats-server',
    wanted: `nats-server ${oldest.join('.')} or later`,
    objection: path => tooOld(machine, path),
    advice: natsServerAdvice(at, binFolder, release),
  }
  return obtain(program, planNatsServer(at, binFolder, release), { machine, binFolder, log })
}

async function tooOld(machine: Machine, path: string): Promise<string | undefined> {
  const answer = await askVersion(machine, path)
  if ('objection' in answer) return answer.objection
  const version = parseVersion(answer.printed)
  if (!version) return `it printed no version but "${answer.printed.trim()}"`
  const [major, minor] = oldest
  const enough = version.major > major || (version.major === major && version.minor >= minor)
  return enough ? undefined : `version ${version.text} is older than ${oldest.join('.')}`
}
