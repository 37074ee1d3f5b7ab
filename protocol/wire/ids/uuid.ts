/**
 * Creates a UUIDv7 (RFC 9562 §5.7): 48 bits of time, then random, so that ids made later sort later.
 *
 * @param now milliseconds since the epoch
 * @param random 10 random bytes
 */
export function uuidv7(now = Date.now(), random = crypto.getRandomValues(new Uint8Array(10))): string {
  let hex = now.toString(16).padStart(12, '0')
  for (let i = 0; i < 10; i++) {
    let byte = random[i]!
    if (i === 0) byte = 0x70 | (byte & 0x0f)
    if (i === 2) byte = 0x80 | (byte & 0x3f)
    hex += byte.toString(16).padStart(2, '0')
  }
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Returns when an id was made by `uuidv7`, in milliseconds since the epoch. Undefined: it is no such id */
export function timeOfUuidv7(id: string): number | undefined {
  const isOne = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i.test(id)
  return isOne ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : undefined
}
