import type { Msg } from '@nats-io/transport-node'
import { JETSTREAM_ERRORS } from '../connection/jetstream-errors.js'
import { PublishError } from './publish-error.js'

/** JetStream's acknowledgement. */
export interface Stored {
  /** Sequence in the stream; of a duplicate, that of the first send. */
  seq: number
  duplicate: boolean
}

/** Reads what JetStream answers to a message that was published. Returns an error where it is not stored. */
export function readAck(answer: Pick<Msg, 'headers' | 'json'>): Stored | PublishError {
  if (answer.headers?.code === 503) return new PublishError('no_stream', 'no stream takes this subject')
  try {
    const { seq, duplicate, error } = answer.json<{
      seq?: number
      duplicate?: boolean
      error?: { err_code?: number; description?: string }
    }>()
    if (!error && seq) return { seq, duplicate: duplicate === true }
    const code = error?.err_code === JETSTREAM_ERRORS.wrongLastSequence ? 'conflict' : 'refused'
    return new PublishError(code, `JetStream rejected the message: ${error?.description}`)
  } catch {
    return new PublishError('refused', 'JetStream answered something that is no acknowledgement')
  }
}
