import { EXCLUSION_LETTERS, type ExclusionReason } from '@slotstream/protocol'
import { ELIGIBLE, type Reasons } from '../../catalog/reasons.js'
import { LETTERS, lettersOf } from '../../draw/pack-numbers.js'

/** Longest row that is read, in contents. */
const MOST = 100_000

/** Letter of content that may be shown. */
const MAY_BE_SHOWN = 'e'

/** Begins a row that says with a bit of each content whether it may be shown. */
const BITS = '='

const BITS_OF_LETTER = 6

/** Ends the bits, behind which are the reasons of the others. */
const END = ';'

const REASONS = new Map(Object.entries(EXCLUSION_LETTERS).map(([reason, letter]) => [letter as string, reason]))

/** Letters by code. */
const BY_CODE = [MAY_BE_SHOWN, ...Object.values(EXCLUSION_LETTERS)]

/**
 * Writes why each content of a slot may not be shown. Either a letter for each content, several of the same in a row as the
 * letter and their number: `e2xc2`. Or, where that is shorter, a bit for each content, 1 where it may be shown, six of them as a
 * letter of base64, and the letters of the others: `=YA;xc2`.
 */
export function packReasons(reasons: Reasons): string {
  const behind = packLetters(withoutEligible(reasons))
  const length = 2 + Math.ceil(reasons.length / BITS_OF_LETTER) + behind.length
  return isLonger(reasons, length) ? `${BITS}${packBits(reasons)}${END}${behind}` : packLetters(reasons)
}

function withoutEligible(codes: Reasons): Reasons {
  const others = new Uint8Array(codes.length)
  let count = 0
  for (let at = 0; at < codes.length; at++) if (codes[at] !== ELIGIBLE) others[count++] = codes[at]!
  return others.subarray(0, count)
}

/** Whether `packLetters` would be longer than that, which takes longer to write than to count. */
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

/** Reads what `packReasons` wrote, up to 100,000 contents. Letters that it does not know are left out. */
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

function packBits(codes: Reasons): string {
  const letters = new Uint8Array(Math.ceil(codes.length / BITS_OF_LETTER))
  for (let at = 0; at < letters.length; at++) {
    let bits = 0
    const first = at * BITS_OF_LETTER
    // Beyond the last content there is none that may be shown.
    for (let bit = 0; bit < BITS_OF_LETTER; bit++) bits = (bits << 1) | (codes[first + bit] === ELIGIBLE ? 1 : 0)
    letters[at] = bits
  }
  return lettersOf(letters)
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
