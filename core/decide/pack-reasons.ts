import { EXCLUSION_LETTERS, type ExclusionReason } from '@slotstream/protocol'
import { LETTERS } from '../draw/pack-numbers.js'

/** Longest row that is read, in contents. */
const MOST = 100_000

/** Letter of content that may be shown. */
const ELIGIBLE = 'e'

/** Begins a row that says with a bit of each content whether it may be shown. */
const BITS = '='

/** Ends the bits, behind which are the reasons of the others. */
const END = ';'

const REASONS = new Map(Object.entries(EXCLUSION_LETTERS).map(([reason, letter]) => [letter as string, reason]))

/**
 * Writes why each content of a slot may not be shown. Either a letter for each content, several of the same in a row as the
 * letter and their number: `e2xc2`. Or, where that is shorter, a bit for each content, 1 where it may be shown, six of them as a
 * letter of base64, and the letters of the others: `=YA;xc2`.
 */
export function packReasons(reasons: readonly (ExclusionReason | undefined)[]): string {
  const size = reasons.length
  const letters = lengthOfLetters(reasons)
  if (letters <= 2 + size / 6) return packLetters(reasons)
  const others: ExclusionReason[] = []
  for (let at = 0; at < size; at++) {
    const reason = reasons[at]
    if (reason !== undefined) others.push(reason)
  }
  const behind = packLetters(others)
  return 2 + Math.ceil(size / 6) + behind.length < letters
    ? `${BITS}${packBits(reasons)}${END}${behind}`
    : packLetters(reasons)
}

/** Returns how long `packLetters` would be, which takes longer to write than to count. */
function lengthOfLetters(reasons: readonly (ExclusionReason | undefined)[]): number {
  let length = 0
  let times = 0
  for (let at = 0; at < reasons.length; at++) {
    times++
    if (at + 1 < reasons.length && reasons[at + 1] === reasons[at]) continue
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

function packLetters(reasons: readonly (ExclusionReason | undefined)[]): string {
  let text = ''
  for (let at = 0; at < reasons.length; ) {
    let end = at + 1
    while (end < reasons.length && reasons[end] === reasons[at]) end++
    const reason = reasons[at]
    text += reason === undefined ? ELIGIBLE : EXCLUSION_LETTERS[reason]
    if (end - at > 1) text += end - at
    at = end
  }
  return text
}

function packBits(reasons: readonly (ExclusionReason | undefined)[]): string {
  let text = ''
  let bits = 0
  for (let at = 0; at < reasons.length; at++) {
    bits = 2 * bits + (reasons[at] === undefined ? 1 : 0)
    if (at % 6 < 5) continue
    text += LETTERS[bits]
    bits = 0
  }
  const rest = reasons.length % 6
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
