/** JetStream's codes of errors that callers react to. Source: `server/errors.json` of nats-server */
export const JETSTREAM_ERRORS = {
  /** The message does not exist. */
  noMessage: 10043,
  /** A write expected another last sequence: of a key in a bucket, another revision. */
  wrongLastSequence: 10071,
} as const

/**
 * Takes a message that does not exist for one that was not deleted now: the `catch` of a deletion.
 *
 * @throws every other error
 */
export function ignoreMissing(error: unknown): false {
  if (isJetStreamError(error, 'noMessage')) return false
  throw error
}

/** Tells whether an error of the client is JetStream's of this name. */
export function isJetStreamError(error: unknown, name: keyof typeof JETSTREAM_ERRORS): boolean {
  return (error as { code?: unknown } | null)?.code === JETSTREAM_ERRORS[name]
}
