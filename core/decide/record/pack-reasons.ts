import { EXCLUSION_LETTERS, type ExclusionReason } from '@slotstream/protocol'
import { ELIGIBLE, type Reasons } from '../../catalog/reasons.js'
import { LETTERS, lettersOf } from '../../draw/pack-numbers.js'

/** Contents that are read of a text, at most. */
const MOST = 100_000

/** Letter of content that may be shown. */
const MAY_BE_SHOWN = 'e'

/** First character of a text with a bit for each content: whether it may be shown. */
const BITS = '='

const BITS_OF_LETTER = 6
const HIGHEST_BIT = 2 ** (BITS_OF_LETTER - 1)

/** Separates the bits from the letters of content that may not be shown. */
const END = ';'

const REASONS = new Map(Object.entries(EXCLUSION_LETTERS).map(([reason, letter]) => [letter as string, reason]))

/** Letters by code. */
const BY_CODE = [MAY_BE_SHOWN, ...Object.values(EXCLUSION_LETTERS)]

/**
 * Packs why each content of a slot may not be shown into a text, the shorter one of two forms: a letter for each
 * content, run-length encoded (`e2xc2`); or `=`, a bit for each content, 1: it may be shown, six bits in a character of
 * base64, `;`, and the letters of the rest (`=YA;xc2`).
 */
export function packReasons(reasons: Reasons): string {
  const { bits, others } = separate(reasons)
  const behind = packLetters(others)
  const length = 2 + bits.length + behind.length
  return isLonger(reasons, length) ? `${BITS}${lettersOf(bits)}${END}${behind}` : packLetters(reasons)
}

/** Splits codes into bits, six in a number, 1: the content may be shown; and the codes of the rest. */
function separate(codes: Reasons): { bits: Uint8Array; others: Reasons } {
  const bits = new Uint8Array(Math.ceil(codes.length / BITS_OF_LETTER))
  const others = lent(codes.length)
  let count = 0
  for (let at = 0; at < codes.length; at++) {
    if (codes[at] !== ELIGIBLE) {
      others[count++] = codes[at]!
      continue
    }
    const letter = Math.floor(at / BITS_OF_LETTER)
    bits[letter] = bits[letter]! | (HIGHEST_BIT >> (at % BITS_OF_LETTER))
  }
  return { bits, others: others.subarray(0, count) }
}

/** Reused for the codes of one call: allocating it for each decision takes longer. */
let codesSpace = new Uint8Array(1_024)

function lent(length: number): Uint8Array {
  if (codesSpace.length < length) codesSpace = new Uint8Array(2 * length)
  return codesSpace
}

/** Tells whether `packLetters` would be longer than `most`: counting is faster than writing. */
function isLonger(codes: Reasons, most: number): boolean {
  let length = 0
  let times = 0
  for (let at = 0; at < codes.length && length <= most; at++) {
    times++
    if (at + 1 < codes.length && codes[at + 1] === codes[at]) continue
    length += times === 1 ? 1 : times < 10 ? 2 : 1 + String(times).length
    times = 0
  }
  return length > most
}

/** Reads what `packReasons` wrote, up to 100,000 contents. Unknown letters are left out. */
export function unpackReasons(text: string): (ExclusionReason | undefined)[] {
  if (!text.startsWith(BITS)) return unpackLetters(text)
  const end = text.indexOf(END)
  const others = unpackLetters(text.slice(end + 1))
  const reasons: (ExclusionReason | undefined)[] = []
  let next = 0
  for (let at = 1; at < end && reasons.length < MOST; at++) {
    const bits = LETTERS.indexOf(text[at]!)
    for (let bit = 5; bit >= 0 && bits >= 0; bit--) {
      if ((bits >> bit) & 1) reasons.push(undefined)
      // The last letter may have more bits than there is content.
      else if (next < others.length) reasons.push(others[next++])
    }
  }
  return reasons
}

function packLetters(codes: Reasons): string {
  let text = ''
  for (let at = 0; at < codes.length; ) {
    let end = at + 1
    while (end < codes.length && codes[end] === codes[at]) end++
    text += BY_CODE[codes[at]!]
    if (end - at > 1) text += end - at
    at = end
  }
  return text
}

function unpackLetters(text: string): (ExclusionReason | undefined)[] {
  const reasons: (ExclusionReason | undefined)[] = []
  for (const [, letter = '', number] of text.matchAll(/([a-z])(\d*)/g)) {
    if (letter !== MAY_BE_SHOWN && !REASONS.has(letter)) continue
    const reason = REASONS.get(letter) as ExclusionReason | undefined
    const times = Math.min(number ? Number(number) : 1, MOST - reasons.length)
    for (let n = 0; n < times; n++) reasons.push(reason)
    if (reasons.length >= MOST) break
  }
  return reasons
}
