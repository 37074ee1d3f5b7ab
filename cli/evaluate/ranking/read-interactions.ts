import { CommandError } from '@slotstream/tracking-plan'

/** A line of a log: a user took an item. The rating says nothing here. */
export interface Interaction {
  user: string
  item: string
  time: number
}

/**
 * Reads lines of user, item, rating, time, separated by tab, comma or `|`, with a header or without.
 *
 * @param name of the file, for errors
 * @throws CommandError naming the line that cannot be read
 */
export function readInteractions(text: string, name: string): Interaction[] {
  const interactions: Interaction[] = []
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() === '') continue
    const [user, item, , rawTime] = fieldsOf(line)
    const time = rawTime === undefined || rawTime === '' ? Number.NaN : Number(rawTime)
    if (user && item && Number.isFinite(time)) interactions.push({ user, item, time })
    else if (interactions.length > 0 || index > 0)
      throw new CommandError(`${name}, line ${index + 1}: user, item, rating and a time as a number are expected`)
  }
  if (interactions.length === 0) throw new CommandError(`${name} has no lines of user, item, rating and time`)
  return interactions
}

/** Splits a line at the separator that it has: a tab, else `|`, else a comma. Quotes around a field are left out. */
export function fieldsOf(line: string): string[] {
  const separator = ['\t', '|'].find(candidate => line.includes(candidate)) ?? ','
  return line.split(separator).map(field => field.trim().replace(/^"(.*)"$/, '$1'))
}

/** Compares ids: numbers by size, then others as text. One rule for each pair, so that any mixture has an order. */
export function compareIds(a: string, b: string): number {
  const [m, n] = [Number(a), Number(b)]
  const [isNumber, isOtherNumber] = [Number.isFinite(m), Number.isFinite(n)]
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1
  if (isNumber && m !== n) return m - n
  return a < b ? -1 : a > b ? 1 : 0
}
