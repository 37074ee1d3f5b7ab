import { execFileSync, spawnSync } from 'node:child_process'
import { ConfigurationError } from '@slotstream/runtime'
import type { Owner } from '../data/private-file.js'

/** An unprivileged user of the machine that a service runs as. */
export interface Account extends Owner {
  /** As it was set, for messages. */
  name: string
}

/** Users without an entry in the machine's list are as good as others: nothing else is theirs. */
const FALLBACK_ID = 64_123

const CHECK_MS = 20_000

/** Tries what the program will do: read files, and go through folders. */
const CAN_READ = `const { accessSync, constants, statSync } = require('node:fs')
for (const path of process.argv.slice(1))
  accessSync(path, statSync(path).isDirectory() ? constants.X_OK : constants.R_OK)`

/**
 * Looks up whom a service is to run as: a name, `uid` or `uid:gid`. Undefined: as this process does, which is so unless
 * root started it, and with "root".
 *
 * @throws ConfigurationError when there is no such user
 */
export function accountOf(variable: string, setting: string, isRoot = process.getuid?.() === 0): Account | undefined {
  if (!isRoot || setting === 'root' || setting === '0') return undefined
  const [, uid, gid] = /^(\d+)(?::(\d+))?$/.exec(setting) ?? []
  if (uid) return { name: setting, uid: Number(uid), gid: Number(gid ?? uid) }
  const ids = idsOf(setting)
  if (ids) return { name: setting, ...ids }
  if (setting === 'nobody') return { name: String(FALLBACK_ID), uid: FALLBACK_ID, gid: FALLBACK_ID }
  throw new ConfigurationError(
    `${variable} is "${setting}": there is no such user. Give a name, uid or uid:gid, or root`,
  )
}

/**
 * Tells why a program can't run as an account, by trying: undefined when it can.
 *
 * @param command a program to try, or files that it has to read and folders that it has to go through
 */
export function objectionTo(
  account: Account,
  command: { program: string; args: string[] } | { files: string[] },
): string | undefined {
  const [program, args] =
    'files' in command ? [process.execPath, ['-e', CAN_READ, ...command.files]] : [command.program, command.args]
  const { uid, gid } = account
  const tried = spawnSync(program, args, { uid, gid, cwd: '/', env: {}, timeout: CHECK_MS, encoding: 'utf8' })
  if (tried.error) return tried.error.message
  if (tried.status === 0) return undefined
  return /Error: .*/.exec(tried.stderr)?.[0] ?? `it ended with ${tried.status ?? tried.signal}`
}

function idsOf(name: string): Owner | undefined {
  try {
    const ask = (what: string) => Number(execFileSync('id', [what, '--', name], { encoding: 'utf8', stdio: 'pipe' }))
    const owner = { uid: ask('-u'), gid: ask('-g') }
    return owner.uid > 0 && owner.gid > 0 ? owner : undefined
  } catch {
    return undefined
  }
}
