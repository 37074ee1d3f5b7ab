import { type Batch, type DecisionRecord, hash32, type Message } from '@slotstream/protocol'
import { derivedId } from '../ids.js'
import { anonymousIdOf, type Impression, type Source, toDecision, toMessages } from './open-bandit.js'

/**
 * Rows go in lanes by visitor, and each lane is sent in order: lanes run side by side, and yet one visitor's messages
 * arrive in the order in which they happened.
 */
export const LANES = 4

/** Rows of one parcel: about 200 KB of decisions and 90 KB of messages, both well below the 500 KB of a request. */
export const ROWS_PER_PARCEL = 250

/** Content of one send: some rows' decisions, and then their messages as one sealed batch. */
export interface Parcel {
  lane: number
  rows: number
  decisions: DecisionRecord[]
  batch: Batch & { batchId: string }
}

/**
 * Packs a log into parcels. The same log makes the same parcels with the same ids, whatever became of an earlier
 * replay.
 */
export async function* packParcels(
  impressions: AsyncIterable<Impression>,
  source: Source,
  rowsPerParcel = ROWS_PER_PARCEL,
): AsyncGenerator<Parcel> {
  const open: Impression[][] = Array.from({ length: LANES }, () => [])
  for await (const impression of impressions) {
    const lane = hash32(anonymousIdOf(impression)) % LANES
    const rows = open[lane]!
    rows.push(impression)
    if (rows.length < rowsPerParcel) continue
    yield pack(lane, rows, source)
    open[lane] = []
  }
  for (const [lane, rows] of open.entries()) if (rows.length > 0) yield pack(lane, rows, source)
}

function pack(lane: number, rows: Impression[], source: Source): Parcel {
  const batch: Message[] = rows.flatMap(row => toMessages(row, source))
  // Made from what is in it, so that the same id never stands for another batch.
  const batchId = derivedId(rows[0]!.time, ...batch.map(message => message.messageId))
  return { lane, rows: rows.length, decisions: rows.map(row => toDecision(row, source)), batch: { batch, batchId } }
}
