import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Site } from '@slotstream/protocol'
import { createMemo } from './enrich/memo.js'
import { Failure } from './failure.js'
import type { Sites } from './sites.js'

/** `Authorization` headers whose write key is remembered, and the longest, in characters: one that isn't Basic for sure. */
const MAX_REMEMBERED = 1_000
const MAX_REMEMBERED_LENGTH = 1_024

/**
 * The site whose write key a request carries: as user name of HTTP Basic, as Segment's libraries send it, as
 * `?writeKey=`, or as `writeKey` in the body.
 *
 * @throws Failure `unknown_key`
 */
export function siteOf(request: IncomingMessage, body: unknown, sites: Sites): Site {
  const writeKey = basicUser(request.headers.authorization) || queryKey(request.url ?? '') || bodyKey(body)
  if (!writeKey)
    throw new Failure(
      'unknown_key',
      'there is no write key: send it as user name of HTTP Basic, as ?writeKey=, or as writeKey in the body',
    )
  const site = sites.byWriteKey(writeKey)
  if (!site) throw new Failure('unknown_key', 'no site has this write key')
  return site
}

/** The site whose write key is in the head of a request, so that it is known before the body is read. */
export function siteInHead(request: IncomingMessage, sites: Pick<Sites, 'byWriteKey'>): Site | undefined {
  const writeKey = basicUser(request.headers.authorization) || queryKey(request.url ?? '')
  return writeKey ? sites.byWriteKey(writeKey) : undefined
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

/** The token of `Authorization: Bearer …`; empty when there is none. */
export function bearerToken(request: IncomingMessage): string {
  return /^bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
}

/** Compares in constant time, whatever the lengths. */
export function isSameSecret(given: string, secret: string): boolean {
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', secret, 'buffer'))
}
