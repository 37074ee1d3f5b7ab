/** Random bytes of an id. */
const BYTES = 10

/** Ids whose random bytes are asked for at once: to ask for those of one takes ten times as long as all else of it. */
const AHEAD = 400

/**
 * Creates a UUIDv7 (RFC 9562 §5.7): 48 bits of time, then random, so that ids made later sort later.
 *
 * @param now milliseconds since the epoch
 * @param random 10 random bytes
 */
export function uuidv7(now = Date.now(), random = crypto.getRandomValues(new Uint8Array(BYTES))): string {
  let hex = now.toString(16).padStart(12, '0')
  for (let i = 0; i < BYTES; i++) {
    let byte = random[i]!
    if (i === 0) byte = 0x70 | (byte & 0x0f)
    if (i === 2) byte = 0x80 | (byte & 0x3f)
    hex += byte.toString(16).padStart(2, '0')
  }
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Creates a function that makes ids as `uuidv7` does, for those who make very many. */
export function createUuidv7Maker(): (now?: number) => string {
  const random = new Uint8Array(BYTES * AHEAD)
  let used = random.length
  return (now = Date.now()) => {
    if (used === random.length) {
      crypto.getRandomValues(random)
      used = 0
    }
    used += BYTES
    return uuidv7(now, random.subarray(used - BYTES, used))
  }
}

/** Returns when an id was made by `uuidv7`, in milliseconds since the epoch. Undefined: it is no such id */
export function timeOfUuidv7(id: string): number | undefined {
  const isOne = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i.test(id)
  return isOne ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : undefined
}
