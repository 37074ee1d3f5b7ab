import type { FeatureValue, PersonAttributes } from '@slotstream/core'
import { isoTime } from '@slotstream/protocol'
import type { Person } from './read-persons.js'

/**
 * Returns what segments are decided by: the person, outside of a request.
 *
 * @param values of the person's features
 * @param at milliseconds since the epoch
 */
export function personAttributes(
  { signals, traits, profile }: Pick<Person, 'signals' | 'traits' | 'profile'>,
  values: ReadonlyMap<string, FeatureValue>,
  at: number,
): PersonAttributes {
  return {
    features: Object.fromEntries([...values].map(([name, { value }]) => [name, value])),
    signals,
    traits,
    context: {},
    now: isoTime(at),
    profile,
  }
}
