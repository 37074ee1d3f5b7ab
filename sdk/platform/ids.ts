const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')

/**
 * Makes UUIDv7s that ascend in the order they were made, also within one millisecond and when the clock is set back:
 * the twelve bits after the version count (RFC 9562 §6.2, method 1), the other 62 are random. The queue orders what it
 * keeps by these ids.
 */
export function createIds(now: () => number): () => string {
  let time = 0
  let count = 0
  let stamp = ''
  // Asking for random numbers costs more than the rest of an id: ask for many.
  const pool = new Uint32Array(256)
  let used = 0
  return () => {
    if (!used) crypto.getRandomValues(pool)
    const high = pool[used++]!
    const low = pool[used++]!
    used %= pool.length
    // No more than twelve bits of it are a counter: beyond, the next millisecond is borrowed.
    if (now() > time || ++count > 0xfff) {
      time = Math.max(time + 1, now())
      count = 0
      stamp = hex(time, 12)
    }
    return `${stamp.slice(0, 8)}-${stamp.slice(8)}-7${hex(count, 3)}-${hex(0x8000 | (low & 0x3fff), 4)}-${hex(high, 8)}${hex(low >>> 16, 4)}`
  }
}
