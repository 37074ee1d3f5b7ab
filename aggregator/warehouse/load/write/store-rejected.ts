import { MAX_MESSAGE_BYTES, type RejectedEnvelope, streamSubject } from '@slotstream/protocol'
import type { Nats } from '@slotstream/runtime'
import type { RejectedRow } from './rejected-rows.js'

/** Longest reason that is stored, in characters: ClickHouse repeats the data in its errors. */
const MAX_REASON = 1_000

/** Stores rows that ClickHouse rejected as rejected messages, code `warehouse_refused`. */
export async function storeRejected(
  nats: Pick<Nats, 'js'>,
  stream: string,
  rejected: readonly RejectedRow[],
): Promise<void> {
  for (const { row, reason } of rejected) {
    const { siteId, partition, receivedAt, messageId, payload: read } = row.source
    const payload = read()
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
    const envelope: RejectedEnvelope = {
      siteId,
      receivedAt,
      sender: row.key?.sender === 'secret' ? 'secret' : 'public',
      rejected: [
        {
          messageId,
          code: 'warehouse_refused',
          reason: `ClickHouse rejected the row: ${reason.slice(0, MAX_REASON)}`,
          payload: text.slice(0, MAX_MESSAGE_BYTES),
        },
      ],
    }
    await nats.js.publish(streamSubject('rejected', partition), JSON.stringify(envelope), {
      msgID: `refused:${stream}:${row.seq}:${row.index}`,
    })
  }
}
