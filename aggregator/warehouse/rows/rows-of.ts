import type { JsMsg } from '@nats-io/jetstream'
import type { StreamSpec } from '../tables/specs.js'
import type { Row } from './row.js'

/** Returns a stream message as rows. @throws when it is not what the stream should hold */
export function rowsOf(spec: Pick<StreamSpec, 'rows'>, message: JsMsg, offset: number): Row[] {
  const operation = message.headers?.get('KV-Operation')
  const deleted = operation === 'DEL' || operation === 'PURGE'
  const source = {
    seq: message.seq,
    subject: message.subject,
    get text() {
      return message.string()
    },
    get storedAt() {
      return new Date(Number(message.timestampNanos / 1_000_000n)).toISOString()
    },
    deleted,
  }
  return spec.rows(source, message.seq + offset)
}
