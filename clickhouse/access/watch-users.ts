import { readFile, stat } from 'node:fs/promises'
import { ConfigurationError, type Log } from '@slotstream/runtime'
import type { AccountLimits, Role } from './accounts.js'
import type { User } from './credentials.js'
import { parseUsers } from './users-file.js'

/** How long an answer is given without a look at the file, in milliseconds. */
const FRESH_MS = 1_000

/** Largest users file, in bytes. */
const MAX_BYTES = 1024 * 1024

/** Permissions that a users file must not have: others read it, or write it. */
const FORBIDDEN_MODE = 0o027

/**
 * Keeps the named users as the file says, and looks again a second later at the earliest. No file: no users. A file
 * that becomes unreadable leaves the users as they were, and the log says why.
 *
 * @param limits what a user has that names none
 * @throws ConfigurationError when the file is wrong at the start
 */
export async function watchUsers(
  file: string,
  limits: (role: Role) => AccountLimits,
  log: Pick<Log, 'info' | 'error'>,
): Promise<() => Promise<ReadonlyMap<string, User>>> {
  let users: ReadonlyMap<string, User> = new Map()
  let version = ''
  let looked = 0
  let looking: Promise<void> | undefined

  async function look(): Promise<void> {
    const facts = await stat(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    const newVersion = facts ? [facts.ino, facts.size, facts.mtimeMs, facts.ctimeMs, facts.mode].join(':') : 'none'
    if (newVersion === version) return
    version = newVersion
    if (!facts) users = new Map()
    else {
      if ((facts.mode & FORBIDDEN_MODE) !== 0) throw new Error(`others may read or write it: chmod 600 ${file}`)
      if (facts.size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`)
      users = parseUsers(await readFile(file, 'utf8'), limits)
    }
    log.info({ file, users: users.size }, 'users read')
  }

  await look().catch((error: Error) => {
    throw new ConfigurationError(`CLICKHOUSE_USERS_FILE ${file} can't be used: ${error.message}`)
  })
  looked = Date.now()
  return async () => {
    if (Date.now() - looked >= FRESH_MS) {
      looking ??= look()
        .catch((error: Error) => log.error(`${file} can't be used, users stay as they were: ${error.message}`))
        .finally(() => {
          looked = Date.now()
          looking = undefined
        })
      await looking
    }
    return users
  }
}
