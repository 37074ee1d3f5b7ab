const encoder = new TextEncoder()

/**
 * Returns a 32-bit hash of text, equal in every version and language: FNV-1a over the UTF-8 bytes, then the finalizer
 * of MurmurHash3, because FNV alone leaves the low bits, which `mod P` looks at, badly mixed for short keys.
 */
export function hash32(text: string): number {
  let h = fnv(text)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

function fnv(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    // Nearly every id is ASCII, whose bytes are its characters: encoding it would cost more than hashing it.
    if (code > 0x7f) return fnvOfBytes(encoder.encode(text))
    h = Math.imul(h ^ code, 0x01000193)
  }
  return h
}

function fnvOfBytes(bytes: Uint8Array): number {
  let h = 0x811c9dc5
  for (let i = 0; i < bytes.length; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193)
  return h
}
