import type { JsMsg } from '@nats-io/jetstream'
import type { Refused } from '../refused.js'
import type { StreamSpec } from '../specs.js'
import type { Row } from './row.js'

/** A stream message as rows; or, when it isn't what the stream should hold, as something refused. */
export function rowsOf(spec: StreamSpec, message: JsMsg, offset: number): { rows: Row[] } | { refused: Refused } {
  const seq = message.seq + offset
  const storedAt = new Date(Number(message.timestampNanos / 1_000_000n)).toISOString()
  const operation = message.headers?.get('KV-Operation')
  const text = message.string()
  try {
    const deleted = operation === 'DEL' || operation === 'PURGE'
    return { rows: spec.rows({ seq: message.seq, subject: message.subject, text, storedAt, deleted }, seq) }
  } catch (error) {
    const source = { siteId: '', partition: 0, receivedAt: storedAt, messageId: null, payload: text }
    const reason = `message ${message.seq} of ${spec.stream} is not what the stream should hold: ${error}`
    return { refused: { row: { line: '', seq, index: 0, source }, reason } }
  }
}
