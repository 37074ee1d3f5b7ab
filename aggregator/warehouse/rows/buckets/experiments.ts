import { BUCKETS, type Check, isObject, keyOfSubject, siteOfExperimentsKey } from '@slotstream/protocol'
import { type Row, readMessage, type SourceMessage } from '../row.js'
import { jsonLine } from '../text/line.js'

/**
 * Rows of `experiment_changes`: one per change of a site's experiments. The bucket `definitions` holds others, too,
 * which have none.
 */
export function experimentRows(message: SourceMessage, seq: number): Row[] {
  const siteId = siteOfExperimentsKey(keyOfSubject(BUCKETS.definitions, message.subject))
  if (siteId === undefined) return []
  const { storedAt, deleted } = message
  const experiments = deleted ? [] : readMessage(message, aSet)
  return [
    {
      line: jsonLine({
        site_id: siteId,
        experiments: JSON.stringify(experiments),
        stored_at: storedAt,
        stream_seq: seq,
        batch_index: 0,
      }),
      seq,
      index: 0,
      source: { siteId, partition: 0, receivedAt: storedAt, messageId: null, payload: () => ({ experiments }) },
    },
  ]
}

/**
 * Checks that a value is a list. Deciding processes check what is in effect; the table also takes entries of earlier
 * versions.
 */
function aSet(raw: unknown): Check<unknown[]> {
  return isObject(raw) && Array.isArray(raw.experiments)
    ? { ok: true, value: raw.experiments }
    : { ok: false, reason: 'it has no list of experiments' }
}
