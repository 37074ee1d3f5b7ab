import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigurationError, type Environment, isSet, numberSetting, textSetting } from '../../settings/read.js'
import { secretSetting } from '../../settings/secrets.js'
import { SETTINGS } from '../../settings/table/table.js'

/** Where the NATS servers are, and as whom to connect. */
export interface NatsAccess {
  /** URLs without user information: they may be logged. */
  servers: string[]
  user?: string
  password?: string
  /** Content of a `.creds` file: a user's JWT and its seed. */
  creds?: string
  /** Connect by TLS or not at all; paths of PEM files, where the system's own authorities are not enough. */
  tls?: { caFile?: string; certFile?: string; keyFile?: string }
  /** Answers arrive at subjects that begin like this: the users of `npm start` can't read one another's. */
  inboxPrefix?: string
}

/** File of the data folder in which `npm start` keeps the users of the nats-server that it runs. */
export const NATS_USERS_FILE = 'nats-users.json'

/** The kept users: passwords by role, and the address of the server that knows them. */
export interface KeptNatsUsers {
  url: string
  passwords: Record<string, string>
}

/** The role with all permissions, for the commands of an operator. */
export const OPERATOR = 'operator'

const DEFAULT_PORT = SETTINGS.NATS_PORT.default

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** Tells the subjects at which the answers for a user of `npm start` arrive. */
export function inboxPrefixOf(role: string): string {
  return `_INBOX.${role}`
}

/**
 * Reads the settings of NATS: NATS_URL, or NATS_PORT of this machine; NATS_USER and NATS_PASSWORD, user information in
 * NATS_URL, or NATS_CREDS; NATS_CA_FILE, NATS_CERT_FILE and NATS_KEY_FILE, or `tls://`, for TLS. Without any of a user,
 * and for a server on this machine, the operator's account that `npm start` keeps in the data folder.
 *
 * @throws ConfigurationError
 */
export function natsAccess(env: Environment): NatsAccess {
  const port = numberSetting('NATS_PORT', env)
  const url = secretSetting('NATS_URL', env)
  const access = parseNatsUrl(url || `nats://127.0.0.1:${port}`)
  const user = textSetting('NATS_USER', env)
  const password = secretSetting('NATS_PASSWORD', env)
  const creds = secretSetting('NATS_CREDS', env)
  const inboxPrefix = textSetting('NATS_INBOX_PREFIX', env)
  const tls = tlsSettings(env)
  if (password && !user) throw new ConfigurationError('NATS_PASSWORD is set without NATS_USER: set both')
  if (user) Object.assign(access, { user, password })
  if (creds) access.creds = creds
  if (inboxPrefix) access.inboxPrefix = inboxPrefix
  if (tls) access.tls = tls
  if (access.user || access.creds) return access
  return withKeptOperator(access, !url && !isSet('NATS_PORT', env), env)
}

/**
 * Parses one URL or several with commas between. User information of the first that has any is for all of them.
 *
 * @throws ConfigurationError
 */
export function parseNatsUrl(text: string): NatsAccess {
  const urls = text.split(',').map(each => each.trim())
  const access: NatsAccess = { servers: [] }
  for (const each of urls) {
    const {
      scheme = 'nats',
      userInfo,
      host,
    } = /^((?<scheme>[a-z]+):\/\/)?((?<userInfo>.*)@)?(?<host>[^@/]+)\/?$/i.exec(each)?.groups ?? { host: '' }
    // Without what was set: there may be a password in it.
    if (!host) throw new ConfigurationError('NATS_URL has an address that is none: give nats://host:port, or tls://…')
    access.servers.push(`${scheme}://${host}`)
    if (scheme === 'tls') access.tls = {}
    if (!userInfo || access.user) continue
    const colon = userInfo.indexOf(':')
    access.user = decode(colon < 0 ? userInfo : userInfo.slice(0, colon))
    access.password = colon < 0 ? '' : decode(userInfo.slice(colon + 1))
  }
  return access
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function tlsSettings(env: Environment): NatsAccess['tls'] {
  const files = {
    caFile: textSetting('NATS_CA_FILE', env),
    certFile: textSetting('NATS_CERT_FILE', env),
    keyFile: textSetting('NATS_KEY_FILE', env),
  }
  const set = Object.entries(files).filter(([, file]) => file !== '')
  return set.length > 0 ? Object.fromEntries(set) : undefined
}

/** A password goes to no other address than the one it was made for. */
function withKeptOperator(access: NatsAccess, anyAddress: boolean, env: Environment): NatsAccess {
  const stored = readKept(join(textSetting('DATA_DIR', env), NATS_USERS_FILE))
  const password = stored?.passwords[OPERATOR]
  if (!stored || !password) return access
  const account = { user: OPERATOR, password, inboxPrefix: inboxPrefixOf(OPERATOR) }
  if (anyAddress) return { ...access, servers: [stored.url], ...account }
  const { port } = new URL(stored.url)
  const isTheirs = access.servers.every(server => {
    const { hostname, port: at } = new URL(server)
    return LOOPBACK.test(hostname) && (at || String(DEFAULT_PORT)) === port
  })
  return isTheirs ? { ...access, ...account } : access
}

/** Undefined where there is none, and for those who may not read it: the server then says that it wants a user. */
function readKept(file: string): KeptNatsUsers | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as KeptNatsUsers
  } catch {
    return undefined
  }
}
