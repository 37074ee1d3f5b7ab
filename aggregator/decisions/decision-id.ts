import { randomFillSync } from 'node:crypto'
import { uuidv7 } from '@slotstream/protocol'

/** Random bytes of an id. */
const BYTES = 10

/** Random bytes of the next ids: asking for those of each takes ten times as long as all else of it. */
const pool = new Uint8Array(1_000 * BYTES)
let used = pool.length

/**
 * Makes the id of a decision.
 *
 * @param now milliseconds since the epoch
 */
export function newDecisionId(now: number): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += BYTES
  return uuidv7(now, pool.subarray(used - BYTES, used))
}
