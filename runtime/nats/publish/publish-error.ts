export type PublishErrorCode =
  | 'not_connected'
  | 'overloaded'
  | 'not_sent'
  | 'no_stream'
  | 'refused'
  | 'conflict'
  | 'timeout'

/** JetStream did not acknowledge a message: it may or may not be stored, and has to be sent again. */
export class PublishError extends Error {
  override name = 'PublishError'

  constructor(
    readonly code: PublishErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
