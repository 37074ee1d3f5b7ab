import type { IncomingMessage } from 'node:http'
import { type Check, parseExact, unknownFieldLines } from '@slotstream/protocol'
import { isDeeperThan } from '../http/body/nesting.js'
import { readBody } from '../http/body/read-body.js'
import { Failure } from '../http/failure.js'

/** Largest body of an admin request, in bytes. */
const MAX_ADMIN_BYTES = 5 * 1024 * 1024

/** Deepest nesting of an admin request's body. What handles it recurses. */
const MAX_ADMIN_DEPTH = 64

/**
 * Returns the body of an admin request; whole numbers in it that JavaScript would round are text, see `parseExact`.
 * Throws Failure unless it is a JSON object.
 *
 * @param maxBytes largest body. Default: 5 MB
 */
export async function objectOf(
  request: IncomingMessage,
  maxBytes: number = MAX_ADMIN_BYTES,
): Promise<Record<string, unknown>> {
  const { value, written } = await readBody(request, maxBytes)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Failure('malformed', 'the body must be a JSON object')
  if (isDeeperThan(value, MAX_ADMIN_DEPTH))
    throw new Failure('malformed', `the body is nested deeper than ${MAX_ADMIN_DEPTH} levels`)
  return parseExact(written.text, value) as Record<string, unknown>
}

/** Returns the value that was checked. Throws Failure when something is wrong with it. */
export function valid<T>(checked: Check<T>): T {
  if (!checked.ok) throw new Failure('malformed', checked.reason)
  return checked.value
}

/** Returns the body, all of whose fields are known. Throws Failure with the field that was probably meant otherwise. */
export function fieldsOf(body: Record<string, unknown>, fields: readonly string[]): Record<string, unknown> {
  const faults = unknownFieldLines(body, fields)
  if (faults.length > 0) throw new Failure('malformed', faults[0]!, faults)
  return body
}

/** Tells whether a request has a body, for methods that may come without one. */
export function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
