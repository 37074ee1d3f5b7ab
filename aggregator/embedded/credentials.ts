import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { ClickHouseException } from './errors.js'

/** `analyst`: no password, reads only. `writer`: trusted. */
export type Role = 'analyst' | 'writer'

/** Name of the read-write user. */
export const WRITER = 'slotstream'

/**
 * Who is asking: HTTP Basic, `X-ClickHouse-User`/`X-ClickHouse-Key`, or `?user=&password=`, as ClickHouse takes them.
 * Nobody in particular, or `default` without a password, is an analyst.
 *
 * @throws ClickHouseException AUTHENTICATION_FAILED (516)
 */
export function authenticate(
  headers: IncomingHttpHeaders,
  url: { user?: string | undefined; password?: string | undefined },
  writerPassword: string,
): Role {
  const { user, password } = credentialsOf(headers, url)
  if (user === 'default' && password === '') return 'analyst'
  if (user === WRITER && same(password, writerPassword)) return 'writer'
  throw new ClickHouseException(
    516,
    'AUTHENTICATION_FAILED',
    `${user}: Authentication failed: password is incorrect, or there is no user with such name`,
  )
}

function credentialsOf(
  headers: IncomingHttpHeaders,
  url: { user?: string | undefined; password?: string | undefined },
): { user: string; password: string } {
  const user = headers['x-clickhouse-user']
  const key = headers['x-clickhouse-key']
  if (typeof user === 'string' || typeof key === 'string') {
    return { user: String(user ?? 'default'), password: String(key ?? '') }
  }
  const basic = /^Basic\s+(\S+)$/i.exec(headers.authorization ?? '')
  if (basic) {
    const text = Buffer.from(basic[1]!, 'base64').toString('utf8')
    const colon = text.indexOf(':')
    return colon < 0 ? { user: text, password: '' } : { user: text.slice(0, colon), password: text.slice(colon + 1) }
  }
  if (headers.authorization) return { user: 'default', password: headers.authorization }
  return { user: url.user ?? 'default', password: url.password ?? '' }
}

function same(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(left), digest(right))
}
