const encoder = new TextEncoder()

/**
 * Returns a 32-bit hash of text, equal in every version and language: FNV-1a over the UTF-8 bytes, then the finalizer
 * of MurmurHash3, because FNV alone leaves the low bits, which `mod P` looks at, badly mixed for short keys.
 */
export function hash32(text: string): number {
  return hashEnd(hashMore(HASH_BEGIN, text))
}

/** Hash of no text, to which `hashMore` adds. */
export const HASH_BEGIN = 0x811c9dc5

/**
 * Adds a part of a text, which must not end within a surrogate pair. `hashEnd` then returns the hash of all parts
 * joined.
 */
export function hashMore(hash: number, text: string): number {
  let h = hash
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    // Nearly every id is ASCII, whose bytes are its characters: encoding it would cost more than hashing it.
    if (code > 0x7f) return hashBytes(hash, encoder.encode(text))
    h = Math.imul(h ^ code, 0x01000193)
  }
  return h
}

/** Returns the hash of all that was added. */
export function hashEnd(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

function hashBytes(hash: number, bytes: Uint8Array): number {
  let h = hash
  for (let i = 0; i < bytes.length; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193)
  return h
}
