import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inboxPrefixOf, type KeptNatsUsers, NATS_USERS_FILE, type NatsAccess } from '@slotstream/runtime'
import { writePrivate } from '../data/private-file.js'
import { ROLES, type Role } from './permissions.js'

/** A password for each role. */
export type NatsUsers = Record<Role, string>

/**
 * Reads the users of the nats-server that `npm start` runs, and makes those that are missing: random passwords in a
 * file that only its owner can read, with the server's address, so that the commands of an operator find it.
 */
export function keptNatsUsers(dataDir: string, port: number): NatsUsers {
  const file = join(dataDir, NATS_USERS_FILE)
  const stored = read(file)?.passwords ?? {}
  const passwords = Object.fromEntries(
    ROLES.map(role => [role, stored[role] || randomBytes(24).toString('base64url')]),
  ) as NatsUsers
  writePrivate(file, `${JSON.stringify({ url: urlOf(port), passwords } satisfies KeptNatsUsers, undefined, 2)}\n`)
  return passwords
}

/** Access of a role to the server on `port`. */
export function accessOf(role: Role, users: NatsUsers, port: number): NatsAccess {
  return { servers: [urlOf(port)], user: role, password: users[role], inboxPrefix: inboxPrefixOf(role) }
}

function urlOf(port: number): string {
  return `nats://127.0.0.1:${port}`
}

function read(file: string): KeptNatsUsers | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as KeptNatsUsers
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}
