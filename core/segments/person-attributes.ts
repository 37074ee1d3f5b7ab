import { isoTime } from '@slotstream/protocol'
import { NO_SUSPICION, type Suspicion } from '../bots/suspicion.js'
import type { FeatureValue } from '../features/state/values.js'
import type { AboutPerson } from '../identity/about-person.js'
import type { PersonAttributes } from './membership.js'

/**
 * Returns what segments are decided by: the person, outside of a request.
 *
 * @param signals names of the person's recent signals
 * @param values of the person's features
 * @param at milliseconds since the epoch
 */
export function personAttributes(
  {
    signals,
    traits,
    profile,
    suspicion = NO_SUSPICION,
  }: AboutPerson & {
    signals: readonly string[]
    suspicion?: Suspicion
  },
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
    suspicion,
  }
}
