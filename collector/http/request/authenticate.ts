import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { createMemo, type KeyKind, type Site } from '@slotstream/protocol'
import type { Sites } from '../../sites.js'
import { Failure } from '../failure.js'

/**
 * `Authorization` headers whose write key is remembered, and the longest, in characters: one that isn't Basic for sure.
 */
const MAX_REMEMBERED = 1_000
const MAX_REMEMBERED_LENGTH = 1_024

/** The site and kind of a request's key. */
export interface Authenticated {
  site: Site
  key: KeyKind
}

/**
 * Finds the site whose key a request carries, and the kind of the key: as user name of HTTP Basic, as Segment's
 * libraries send it, as `?writeKey=`, or as `writeKey` in the body. A key that is public anywhere is public.
 *
 * @throws Failure `unknown_key`; `secret_key_in_page` when a browser sends a secret key, which every visitor of that
 * page can read
 */
export function authenticate(request: IncomingMessage, body: unknown, sites: Sites): Authenticated {
  const writeKey = basicUser(request.headers.authorization) || queryKey(request.url ?? '') || bodyKey(body)
  if (!writeKey)
    throw new Failure(
      'unknown_key',
      'there is no write key: send it as user name of HTTP Basic, as ?writeKey=, or as writeKey in the body',
    )
  const owner = ownerOf(request, writeKey, sites)
  if (!owner) throw new Failure('unknown_key', 'no site has this write key')
  return owner
}

/**
 * Finds the site by the key in the head of a request, so that it is known before the body is read; undefined when there
 * is none, or none that a site has.
 *
 * @throws Failure `secret_key_in_page`
 */
export function authenticateHead(request: IncomingMessage, sites: Sites): Authenticated | undefined {
  const writeKey = basicUser(request.headers.authorization) || queryKey(request.url ?? '')
  return writeKey ? ownerOf(request, writeKey, sites) : undefined
}

function ownerOf(request: IncomingMessage, writeKey: string, sites: Sites): Authenticated | undefined {
  const site = sites.byWriteKey(writeKey)
  if (site) return { site, key: 'public' }
  const owner = sites.bySecretKey(writeKey)
  if (!owner) return undefined
  // Browsers put it into every POST of a page, servers don't send it.
  if (request.headers.origin !== undefined)
    throw new Failure(
      'secret_key_in_page',
      'a page used a secret key, which belongs on servers: use one of writeKeys there, and replace this secret key, which visitors of the page can read',
    )
  return { site: owner, key: 'secret' }
}

/** Libraries send the same with each request; sites are few. */
const users = createMemo(
  { max: MAX_REMEMBERED, maxKeyLength: MAX_REMEMBERED_LENGTH },
  (authorization: string): string => {
    const encoded = /^basic\s+(\S+)$/i.exec(authorization)?.[1]
    return (encoded && Buffer.from(encoded, 'base64').toString('utf8').split(':')[0]) || ''
  },
)

function basicUser(authorization: string | undefined): string {
  if (authorization === undefined || authorization.length > MAX_REMEMBERED_LENGTH) return ''
  return users(authorization)
}

function queryKey(url: string): string | undefined {
  const query = url.indexOf('?')
  return query < 0 ? undefined : (new URLSearchParams(url.slice(query + 1)).get('writeKey') ?? undefined)
}

function bodyKey(body: unknown): string | undefined {
  const writeKey = typeof body === 'object' && body !== null && 'writeKey' in body ? body.writeKey : undefined
  return typeof writeKey === 'string' ? writeKey : undefined
}

/** Returns the token of `Authorization: Bearer …`; empty when there is none. */
export function bearerToken(request: IncomingMessage): string {
  return /^bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
}

/** Compares in constant time, whatever the lengths. */
export function isSameSecret(text: string, secret: string): boolean {
  return timingSafeEqual(hash('sha256', text, 'buffer'), hash('sha256', secret, 'buffer'))
}
