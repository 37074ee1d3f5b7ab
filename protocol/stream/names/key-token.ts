/**
 * Writes any text as one token of a KV key. KV keys allow `A–Z a–z 0–9 - _ = / .`; everything but letters, digits, `-`
 * and `_` becomes `=` and two hex digits per UTF-8 byte. Reversible.
 */
export function keyToken(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]/gu, character => {
    let token = ''
    for (const byte of new TextEncoder().encode(character)) token += `=${byte.toString(16).padStart(2, '0')}`
    return token
  })
}

/** Returns the text of a `keyToken`. */
export function fromKeyToken(token: string): string {
  if (!token.includes('=')) return token
  const bytes: number[] = []
  for (let i = 0; i < token.length; i++) {
    if (token[i] === '=') {
      bytes.push(Number.parseInt(token.slice(i + 1, i + 3), 16))
      i += 2
    } else bytes.push(token.charCodeAt(i))
  }
  return new TextDecoder().decode(Uint8Array.from(bytes))
}
