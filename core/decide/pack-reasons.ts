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

/** Reads what `packReasons` wrote. Letters that it does not know are left out. */
export function unpackReasons(text: string): (ExclusionReason | undefined)[] {
  const reasons = new Map(Object.entries(EXCLUSION_LETTERS).map(([reason, letter]) => [letter as string, reason]))
  return [...text.matchAll(/([a-z])(\d*)/g)].flatMap(([, letter = '', number]) => {
    if (letter !== ELIGIBLE && !reasons.has(letter)) return []
    const reason = reasons.get(letter) as ExclusionReason | undefined
    return new Array<ExclusionReason | undefined>(number ? Math.min(Number(number), MOST) : 1).fill(reason)
  })
}
