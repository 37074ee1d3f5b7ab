import { isObject } from '@slotstream/protocol'

/**
 * Moves the traits of an `identify` to where Segment's spec has them, in place: RudderStack's libraries send them as
 * `context.traits` only, and a profile knows no others.
 *
 * @returns whether it did
 */
export function moveTraits(raw: unknown): boolean {
  if (!isObject(raw) || raw.type !== 'identify' || (raw.traits !== undefined && raw.traits !== null)) return false
  if (!isObject(raw.context) || !isObject(raw.context.traits)) return false
  const { traits, ...context } = raw.context
  raw.traits = traits
  raw.context = context
  return true
}
