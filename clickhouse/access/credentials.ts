import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { createTurns } from '@slotstream/runtime'
import { ClickHouseException } from '../errors.js'
import { type Account, NAMELESS, WRITER } from './accounts.js'
import type { ClientAddress } from './client-address.js'
import { createLoginPauses } from './login-pauses.js'
import { verifyPassword } from './passwords.js'

/** A user of the file, with the hash of its password. */
export interface User extends Account {
  hash: string
}

/** The sender of a request, as its URL says. */
export interface UrlCredentials {
  user?: string | undefined
  password?: string | undefined
}

export interface AuthenticatorOptions {
  /** The password of the read-write user. */
  password: string
  /** The account of clients of this machine that send no password. */
  nameless: Account
  writer: Account
  /** Returns the named users as they are now. */
  users: () => Promise<ReadonlyMap<string, User>>
}

/** Tells whose a request is: HTTP Basic, `X-ClickHouse-User`/`X-ClickHouse-Key`, or `?user=&password=`. */
export type Authenticate = (
  headers: IncomingHttpHeaders,
  url: UrlCredentials,
  client: ClientAddress,
) => Promise<Account>

/** How long a password that was right needs no hashing again, in milliseconds. */
const TRUST_MS = 5 * 60_000
/** Passwords remembered at a time. */
const MAX_TRUSTED = 1_000
/** Hashes computed at a time, and those that may wait: each takes 32 MB and 0.1 s of a core. */
const MAX_HASHING = 2
const MAX_WAITING = 50
/** Passwords of clients that were given none: JDBC drivers send the word. */
const NO_PASSWORD = ['', 'null']
/** A hash of no password, so that an unknown name takes as long as a wrong password. */
const NO_USER = `scrypt$32768$8$1$${'A'.repeat(22)}$${'A'.repeat(43)}`

/**
 * Creates the authentication of the server. A right password is remembered for some minutes, as a keyed digest, so that
 * not every request costs a hash; an address with many wrong ones has to wait.
 *
 * The returned function throws ClickHouseException AUTHENTICATION_FAILED (516): 401 where no password was sent, 403
 * where it is wrong, 429 where the address has to wait.
 */
export function createAuthenticator({ password, nameless, writer, users }: AuthenticatorOptions): Authenticate {
  const pauses = createLoginPauses()
  const trusted = createTrusted()
  const hashing = createTurns(MAX_HASHING, MAX_WAITING, () => slowDown(1_000))

  async function check(credentials: Credentials, accounts: ReadonlyMap<string, User>): Promise<Account | undefined> {
    if (credentials.user === WRITER) return same(credentials.password, password) ? writer : undefined
    const user = accounts.get(credentials.user)
    const right = await hashing(() => verifyPassword(credentials.password, user?.hash ?? NO_USER))
    return right && user ? user : undefined
  }

  return async (headers, url, client) => {
    const credentials = credentialsOf(headers, url)
    const accounts = await users()
    if (credentials.user === NAMELESS && NO_PASSWORD.includes(credentials.password)) {
      if (client.loopback) return nameless
      throw passwordRequired()
    }
    // The loader's own password is random, and a local process that guesses must not keep the loader out.
    const exempt = credentials.user === WRITER && client.loopback
    const proof = [client.key, credentials.user, credentials.password, accounts.get(credentials.user)?.hash ?? '']
    const remembered = trusted.has(proof) ? accounts.get(credentials.user) : undefined
    if (remembered) return remembered
    const pause = exempt ? 0 : pauses.remaining(client.key)
    if (pause > 0) throw slowDown(pause)
    const account = await check(credentials, accounts)
    if (!account) {
      if (!exempt) pauses.wrong(client.key)
      throw failed(credentials.user)
    }
    trusted.add(proof)
    return account
  }
}

interface Credentials {
  user: string
  password: string
}

/** An empty name or password is none, as in ClickHouse. */
function credentialsOf(headers: IncomingHttpHeaders, url: UrlCredentials): Credentials {
  const user = headers['x-clickhouse-user']
  const key = headers['x-clickhouse-key']
  if (typeof user === 'string' || typeof key === 'string') {
    return { user: String(user || NAMELESS), password: String(key ?? '') }
  }
  const basic = /^Basic\s+(\S+)$/i.exec(headers.authorization ?? '')
  if (basic) {
    const text = Buffer.from(basic[1]!, 'base64').toString('utf8')
    const colon = text.indexOf(':')
    const name = colon < 0 ? text : text.slice(0, colon)
    return { user: name || NAMELESS, password: colon < 0 ? '' : text.slice(colon + 1) }
  }
  if (headers.authorization) return { user: NAMELESS, password: headers.authorization }
  return { user: url.user || NAMELESS, password: url.password ?? '' }
}

/** Remembers what was right, as keyed digests: what is in memory is of no use anywhere else. */
function createTrusted(now: () => number = Date.now) {
  const secret = randomBytes(32)
  const until = new Map<string, number>()
  const digest = (proof: readonly string[]) =>
    createHmac('sha256', secret).update(JSON.stringify(proof)).digest('base64')
  return {
    has: (proof: readonly string[]): boolean => (until.get(digest(proof)) ?? 0) > now(),
    add(proof: readonly string[]): void {
      until.set(digest(proof), now() + TRUST_MS)
      if (until.size > MAX_TRUSTED) until.delete(until.keys().next().value!)
    },
  }
}

function same(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(left), digest(right))
}

function failed(user: string): ClickHouseException {
  const what = 'Authentication failed: password is incorrect, or there is no user with such name'
  return new ClickHouseException(516, 'AUTHENTICATION_FAILED', `${user}: ${what}`)
}

function passwordRequired(): ClickHouseException {
  return new ClickHouseException(
    516,
    'AUTHENTICATION_FAILED',
    'Authentication failed: only programs on the machine of the server need no user and password, and no proxy may be between',
    undefined,
    { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="ClickHouse"' } },
  )
}

function slowDown(ms: number): ClickHouseException {
  const seconds = Math.ceil(ms / 1_000)
  return new ClickHouseException(
    516,
    'AUTHENTICATION_FAILED',
    `Authentication failed: too many wrong passwords from this address. Try again in ${seconds} s`,
    undefined,
    { status: 429, headers: { 'Retry-After': String(seconds) } },
  )
}
