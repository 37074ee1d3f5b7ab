import type { ErrorCode } from '@slotstream/protocol'

/**
 * A request that can't be answered with success. Thrown wherever that is found out, turned into
 * `{"error": {"code", "message"}}` in one place. The message goes to the client: no secrets, no internals.
 */
export class Failure extends Error {
  override name = 'Failure'

  /**
   * @param details one line for each thing that is wrong, when there can be several
   * @param retryAfter seconds after which the client may come again; by default a few, if the code means "later"
   */
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details?: string[],
    readonly retryAfter?: number,
  ) {
    super(message)
  }
}

/** Creates the failure of a stream that can't take it now; the client is to keep it and come again. */
export function unavailable(): Failure {
  return new Failure(
    'unavailable',
    'the event stream cannot be reached: keep what was not acknowledged and send it again',
  )
}
