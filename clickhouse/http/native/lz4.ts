/** A block's last bytes are literals, and no match begins in the last 12. */
const LAST_LITERALS = 5
const MATCH_LIMIT = 12
const MIN_MATCH = 4
const MAX_OFFSET = 65_535
const HASH_BITS = 14
/** After so many bytes without a match the search takes longer steps (as a power of two). */
const SKIP_BITS = 6

/** Returns the most bytes that a block of so many bytes can become. */
export function compressedBound(length: number): number {
  return length + Math.ceil(length / 255) + 16
}

/**
 * Compresses one LZ4 block.
 *
 * Source: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 *
 * @param target has at least `compressedBound(source.length)` bytes behind `at`
 * @returns place behind the block's last byte
 */
export function compressBlock(source: Buffer, target: Buffer, at: number): number {
  const table = new Int32Array(1 << HASH_BITS)
  const end = source.length
  let anchor = 0
  let place = 0
  let misses = 1 << SKIP_BITS
  while (place < end - MATCH_LIMIT) {
    const word = source.readInt32LE(place)
    const slot = Math.imul(word, -1_640_531_535) >>> (32 - HASH_BITS)
    const candidate = table[slot]! - 1
    table[slot] = place + 1
    if (candidate < 0 || place - candidate > MAX_OFFSET || source.readInt32LE(candidate) !== word) {
      place += misses++ >> SKIP_BITS
      continue
    }
    misses = 1 << SKIP_BITS
    let length = MIN_MATCH
    const most = end - LAST_LITERALS - place
    while (length < most && source[candidate + length] === source[place + length]) length++
    at = writeSequence(source, anchor, place, length - MIN_MATCH, target, at)
    target[at++] = (place - candidate) & 0xff
    target[at++] = (place - candidate) >> 8
    at = writeRest(length - MIN_MATCH, target, at)
    place += length
    anchor = place
  }
  at = writeSequence(source, anchor, end, 0, target, at)
  return at
}

/** Writes a token, and the literals from `anchor` to `place`. */
function writeSequence(
  source: Buffer,
  anchor: number,
  place: number,
  match: number,
  target: Buffer,
  at: number,
): number {
  const literals = place - anchor
  target[at++] = (Math.min(literals, 15) << 4) | Math.min(match, 15)
  at = writeRest(literals, target, at)
  source.copy(target, at, anchor, place)
  return at + literals
}

/** Writes what a length has beyond the 15 of a token. */
function writeRest(length: number, target: Buffer, at: number): number {
  if (length < 15) return at
  let rest = length - 15
  for (; rest >= 255; rest -= 255) target[at++] = 255
  target[at++] = rest
  return at
}

/**
 * Decompresses one LZ4 block into a buffer of exactly its size.
 *
 * @returns whether the block is whole and fills the target; no byte outside of either is touched
 */
export function decompressBlock(source: Buffer, target: Buffer): boolean {
  const end = source.length
  let from = 0
  let to = 0

  /** Reads a length with its further bytes; -1 where they end too early. */
  function readLength(length: number): number {
    if (length < 15) return length
    for (;;) {
      if (from >= end) return -1
      const more = source[from++]!
      length += more
      if (length > target.length) return -1
      if (more !== 255) return length
    }
  }

  while (from < end) {
    const token = source[from++]!
    const literals = readLength(token >> 4)
    if (literals < 0 || literals > end - from || literals > target.length - to) return false
    source.copy(target, to, from, from + literals)
    from += literals
    to += literals
    if (from === end) return to === target.length
    if (end - from < 2) return false
    const offset = source[from]! | (source[from + 1]! << 8)
    from += 2
    const rest = readLength(token & 15)
    const length = rest + MIN_MATCH
    if (rest < 0 || offset === 0 || offset > to || length > target.length - to) return false
    if (offset >= length) target.copyWithin(to, to - offset, to - offset + length)
    else for (let i = 0; i < length; i++) target[to + i] = target[to + i - offset]!
    to += length
  }
  return to === target.length
}
