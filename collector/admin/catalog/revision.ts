import type { Request } from 'express'
import { Failure } from '../../http/failure.js'
import { fieldsOf, hasBody, objectOf } from '../admin-request.js'

/**
 * Returns the revision that a body names.
 *
 * @throws Failure where it is none
 */
export function revisionOf({ revision }: Record<string, unknown>): number | undefined {
  if (revision === undefined || isRevision(revision)) return revision
  throw new Failure('malformed', 'revision must be a whole number from 0, as the answer to GET has it, or be left out')
}

/**
 * Returns the revision that a request to delete names, in its query or its body.
 *
 * @throws Failure where it is none
 */
export async function revisionOfDelete(request: Request): Promise<number | undefined> {
  const text = request.query.revision
  const fromQuery = text === undefined ? undefined : revisionOf({ revision: numberOf(text) })
  const fromBody = hasBody(request) ? revisionOf(fieldsOf(await objectOf(request), ['revision'])) : undefined
  return fromBody ?? fromQuery
}

/** Returns the number that a text of digits is, and anything else as it is. */
function numberOf(text: unknown): unknown {
  return typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : text
}

/** Tells whether a value can be the revision of a catalog. */
export function isRevision(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
