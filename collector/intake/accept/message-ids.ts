import { uuidv7 } from '@slotstream/protocol'

/** Random bytes of one id, and ids whose bytes are asked for at once: to ask takes as long for one. */
const BYTES = 10
const AHEAD = 400

/** Creates the maker of ids for messages that come without one: UUIDv7. */
export function createMessageIds(): () => string {
  const random = new Uint8Array(BYTES * AHEAD)
  let used = random.length
  return () => {
    if (used === random.length) {
      crypto.getRandomValues(random)
      used = 0
    }
    used += BYTES
    return uuidv7(Date.now(), random.subarray(used - BYTES, used))
  }
}
