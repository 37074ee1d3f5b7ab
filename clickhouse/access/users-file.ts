import { isObject } from '@slotstream/runtime'
import { LOG_DATABASE } from '../query-log/table.js'
import { type AccountLimits, NAMELESS, type Role, WRITER } from './accounts.js'
import type { User } from './credentials.js'
import { isPasswordHash } from './passwords.js'

/** Most users of a file. */
const MAX_USERS = 1_000
/** Most databases of a builder. */
const MAX_DATABASES = 100

/** Databases that cannot be a builder's own, in lower case. */
const RESERVED_DATABASES = new Set([
  'slotstream',
  LOG_DATABASE,
  'default',
  'system',
  'information_schema',
  '_temporary_and_external_tables',
])

const USER_NAME = /^[A-Za-z_][\w.@-]{0,63}$/
const DATABASE_NAME = /^[A-Za-z_]\w{0,63}$/
const ROLES: readonly string[] = ['analyst', 'builder'] satisfies Role[]

/** A users file as it is stored. */
export interface StoredUsers {
  users: Record<string, StoredUser>
}

/** A user as it is stored. */
export interface StoredUser {
  role: 'analyst' | 'builder'
  /** `scrypt$…`, as `npm run clickhouse-users` makes it. */
  password: string
  databases?: string[]
  limits?: Partial<AccountLimits>
}

/**
 * Reads a users file: `{"users": {"ada": {"role": "analyst", "password": "scrypt$…", "limits": {…}}}}`.
 *
 * @param limits what a user has that names none
 * @throws Error that says what is wrong with which user
 */
export function parseUsers(text: string, limits: (role: Role) => AccountLimits): Map<string, User> {
  const { users } = readUsers(text)
  const names = Object.keys(users)
  if (names.length > MAX_USERS) throw new Error(`${names.length} users: ${MAX_USERS} are the most`)
  return new Map(names.map(name => [name, userOf(name, users[name], limits)]))
}

/** Reads a users file without a look at its users. Throws Error for what is none. */
export function readUsers(text: string): StoredUsers {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's message shows a part of the text.
    throw new Error('it is not JSON')
  }
  if (!isObject(value) || !isObject(value.users)) throw new Error('it must be {"users": {"<name>": {…}}}')
  return value as unknown as StoredUsers
}

/** Says what is wrong with a name of a user; undefined when it is fine. */
export function troubleWithName(name: string): string | undefined {
  if (name === WRITER || name === NAMELESS) return `"${name}" is a user of the server's own`
  if (USER_NAME.test(name)) return undefined
  return 'a name begins with a letter and has letters, digits, ".", "@", "-" and "_", 64 at most'
}

/** Says what is wrong with the databases of a user; undefined when they are fine. */
export function troubleWithDatabases(role: string, databases: unknown): string | undefined {
  if (!Array.isArray(databases) || databases.length > MAX_DATABASES)
    return `"databases" is a list of ${MAX_DATABASES} at most`
  if (role === 'analyst' && databases.length > 0) return 'an analyst has no databases of its own: make it a builder'
  if (role === 'builder' && databases.length === 0) return 'a builder needs "databases" of its own'
  for (const name of databases) {
    if (typeof name !== 'string' || !DATABASE_NAME.test(name))
      return `${JSON.stringify(name)} is not the name of a database`
    if (RESERVED_DATABASES.has(name.toLowerCase())) return `the database "${name}" can't be a builder's`
  }
  return undefined
}

function userOf(name: string, stored: unknown, limitsOf: (role: Role) => AccountLimits): User {
  const wrong = (what: string): never => {
    throw new Error(`user "${name}": ${what}`)
  }
  const trouble = troubleWithName(name)
  if (trouble) wrong(trouble)
  if (!isObject(stored)) return wrong('it must be an object')
  const { role, password, databases = [], limits = {}, ...rest } = stored
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) wrong(`"${unknown}" is unknown: role, password, databases and limits are known`)
  if (typeof role !== 'string' || !ROLES.includes(role)) wrong('"role" must be "analyst" or "builder"')
  if (typeof password !== 'string' || !isPasswordHash(password))
    return wrong('"password" must be a hash, "scrypt$…": npm run clickhouse-users makes one')
  const about = troubleWithDatabases(role as string, databases)
  if (about) wrong(about)
  const checkedRole = role as Role
  return {
    name,
    role: checkedRole,
    hash: password,
    databases: databases as string[],
    limits: limitsFrom(limits, limitsOf(checkedRole), wrong),
  }
}

function limitsFrom(raw: unknown, usual: AccountLimits, wrong: (what: string) => never): AccountLimits {
  if (!isObject(raw)) return wrong('"limits" must be an object')
  const limits: Record<string, number> = { ...usual }
  for (const [name, value] of Object.entries(raw)) {
    if (!Object.hasOwn(limits, name))
      wrong(`the limit "${name}" is unknown: ${Object.keys(usual).join(', ')} are known`)
    if (!Number.isSafeInteger(value) || (value as number) < 1)
      wrong(`the limit "${name}" must be a whole number from 1`)
    limits[name] = value as number
  }
  return limits as unknown as AccountLimits
}
