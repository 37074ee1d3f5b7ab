import { Failure } from '../../http/failure.js'

/** Returns the revision that a body names. Throws Failure when it is none. */
export function revisionOf({ revision }: Record<string, unknown>): number | undefined {
  if (revision === undefined || isRevision(revision)) return revision
  throw new Failure('malformed', 'revision must be a whole number from 0, as the answer to GET has it, or be left out')
}

/** Tells whether a value can be the revision of a catalog. */
export function isRevision(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
