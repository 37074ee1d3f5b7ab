import { createHash } from 'node:crypto'
import { uuidv7 } from '@slotstream/protocol'

/**
 * Returns a UUID that is the same whenever it is made from the same parts: a UUIDv7 with the time of what it names and
 * a hash in place of the random bits. So a second replay sends the same ids, and ids still sort by time.
 *
 * @param time milliseconds since the epoch
 */
export function derivedId(time: number, ...parts: string[]): string {
  return uuidv7(time, createHash('sha256').update(parts.join('\0')).digest().subarray(0, 10))
}
