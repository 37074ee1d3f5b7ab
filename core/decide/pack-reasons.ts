import { EXCLUSION_LETTERS, type ExclusionReason } from '@slotstream/protocol'

/** Longest row that is read, in contents. */
const MOST = 100_000

/** Letter of content that may be shown. */
const ELIGIBLE = 'e'

/** Writes a letter for each content of a slot; several of the same in a row as the letter and their number. */
export function packReasons(reasons: readonly (ExclusionReason | undefined)[]): string {
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

/** Reads what `packReasons` wrote, up to 100,000 contents. Letters that it does not know are left out. */
export function unpackReasons(text: string): (ExclusionReason | undefined)[] {
  const known = new Map(Object.entries(EXCLUSION_LETTERS).map(([reason, letter]) => [letter as string, reason]))
  const reasons: (ExclusionReason | undefined)[] = []
  for (const [, letter = '', number] of text.matchAll(/([a-z])(\d*)/g)) {
    if (letter !== ELIGIBLE && !known.has(letter)) continue
    const reason = known.get(letter) as ExclusionReason | undefined
    const times = Math.min(number ? Number(number) : 1, MOST - reasons.length)
    for (let n = 0; n < times; n++) reasons.push(reason)
    if (reasons.length >= MOST) break
  }
  return reasons
}
