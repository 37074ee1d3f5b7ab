const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPENING_BRACKET = 0x5b
const CLOSING_BRACKET = 0x5d
const OPENING_BRACE = 0x7b
const CLOSING_BRACE = 0x7d

/**
 * Returns the texts of the messages in the JSON text of a batch, as its client wrote them, so that they need not be
 * written anew. Only for text that JSON.parse has taken: it is looked at for where things begin and end, no more.
 *
 * @returns nothing where it isn't plain to see, such as with two lists of that name
 */
export function batchTexts(json: string): string[] | undefined {
  let at = json.indexOf('{') + 1
  let texts: string[] | undefined
  while (at > 0 && at < json.length) {
    const code = json.charCodeAt(at)
    if (code === CLOSING_BRACE) return texts
    if (code !== QUOTE) {
      at++
      continue
    }
    const keyEnd = endOfString(json, at)
    const key = json.slice(at + 1, keyEnd - 1)
    // An escape may spell the name in another way.
    if (key.includes('\\') || (key === 'batch' && texts)) return undefined
    at = json.indexOf(':', keyEnd) + 1
    if (key === 'batch') {
      const list = listAt(json, at)
      if (!list) return undefined
      texts = list.texts
      at = list.end
    } else at = endOfValue(json, at)
  }
  return undefined
}

/** Returns the elements of the list that begins at or after a place, and where it ends. */
function listAt(json: string, from: number): { texts: string[]; end: number } | undefined {
  const texts: string[] = []
  let at = from
  while (isSpace(json.charCodeAt(at))) at++
  if (json.charCodeAt(at) !== OPENING_BRACKET) return undefined
  at++
  for (;;) {
    while (isSpace(json.charCodeAt(at))) at++
    const begin = at
    at = endOfValue(json, at)
    if (at > begin) texts.push(json.slice(begin, at))
    const code = json.charCodeAt(at)
    at++
    if (code === CLOSING_BRACKET) return { texts, end: at }
    if (code !== COMMA) return undefined
  }
}

/** Returns the place of the comma or bracket behind the value at a place. */
function endOfValue(json: string, from: number): number {
  let depth = 0
  let at = from
  while (at < json.length) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) {
      at = endOfString(json, at)
      continue
    }
    if (code === OPENING_BRACE || code === OPENING_BRACKET) depth++
    else if (code === CLOSING_BRACE || code === CLOSING_BRACKET) {
      if (depth === 0) return at
      depth--
    } else if (code === COMMA && depth === 0) return at
    at++
  }
  return at
}

/**
 * Returns the place behind the string that begins at a place: its quote is the first with an even number of backslashes
 * before it.
 */
function endOfString(json: string, from: number): number {
  let at = from
  for (;;) {
    at = json.indexOf('"', at + 1)
    let backslashes = 0
    while (json.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return at + 1
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}
