import { EXCLUSION_LETTERS, type ExclusionReason } from '@slotstream/protocol'
import { LETTERS } from '../../draw/pack-numbers.js'

/** Longest row that is read, in contents. */
const MOST = 100_000

/** Letter of content that may be shown. */
const ELIGIBLE = 'e'

/** Begins a row that says with a bit of each content whether it may be shown. */
const BITS = '='

/** Ends the bits, behind which are the reasons of the others. */
const END = ';'

const REASONS = new Map(Object.entries(EXCLUSION_LETTERS).map(([reason, letter]) => [letter as string, reason]))

/** Letters by code: 0 is content that may be shown. */
const BY_CODE = [ELIGIBLE, ...Object.values(EXCLUSION_LETTERS)]

/**
 * Writes why each content of a slot may not be shown. Either a letter for each content, several of the same in a row as the
 * letter and their number: `e2xc2`. Or, where that is shorter, a bit for each content, 1 where it may be shown, six of them as a
 * letter of base64, and the letters of the others: `=YA;xc2`.
 */
export function packReasons(reasons: readonly (ExclusionReason | undefined)[]): string {
  const codes = codesOf(reasons)
  const letters = lengthOfLetters(codes)
  if (letters <= 2 + codes.length / 6) return packLetters(codes)
  const behind = packLetters(withoutEligible(codes))
  const length = 2 + Math.ceil(codes.length / 6) + behind.length
  return length < letters ? `${BITS}${packBits(codes)}${END}${behind}` : packLetters(codes)
}

/** Returns reasons as small numbers, which are quicker to compare than texts. */
function codesOf(reasons: readonly (ExclusionReason | undefined)[]): Uint8Array {
  const codes = new Uint8Array(reasons.length)
  let before: ExclusionReason = 'condition'
  let code = BY_CODE.indexOf(EXCLUSION_LETTERS[before])
  for (let at = 0; at < codes.length; at++) {
    const reason = reasons[at]
    if (reason === undefined) continue
    if (reason !== before) {
      before = reason
      code = BY_CODE.indexOf(EXCLUSION_LETTERS[reason])
    }
    codes[at] = code
  }
  return codes
}

function withoutEligible(codes: Uint8Array): Uint8Array {
  const others = new Uint8Array(codes.length)
  let count = 0
  for (let at = 0; at < codes.length; at++) if (codes[at] !== 0) others[count++] = codes[at]!
  return others.subarray(0, count)
}

/** Returns how long `packLetters` would be, which takes longer to write than to count. */
function lengthOfLetters(codes: Uint8Array): number {
  let length = 0
  let times = 0
  for (let at = 0; at < codes.length; at++) {
    times++
    if (at + 1 < codes.length && codes[at + 1] === codes[at]) continue
    length += times === 1 ? 1 : times < 10 ? 2 : 1 + String(times).length
    times = 0
  }
  return length
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

function packLetters(codes: Uint8Array): string {
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

function packBits(codes: Uint8Array): string {
  let text = ''
  let bits = 0
  for (let at = 0; at < codes.length; at++) {
    bits = 2 * bits + (codes[at] === 0 ? 1 : 0)
    if (at % 6 < 5) continue
    text += LETTERS[bits]
    bits = 0
  }
  const rest = codes.length % 6
  return rest === 0 ? text : text + LETTERS[bits << (6 - rest)]
}

function unpackLetters(text: string): (ExclusionReason | undefined)[] {
  const reasons: (ExclusionReason | undefined)[] = []
  for (const [, letter = '', number] of text.matchAll(/([a-z])(\d*)/g)) {
    if (letter !== ELIGIBLE && !REASONS.has(letter)) continue
    const reason = REASONS.get(letter) as ExclusionReason | undefined
    const times = Math.min(number ? Number(number) : 1, MOST - reasons.length)
    for (let n = 0; n < times; n++) reasons.push(reason)
    if (reasons.length >= MOST) break
  }
  return reasons
}
