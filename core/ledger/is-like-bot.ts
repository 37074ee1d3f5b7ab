import type { Profile } from '@slotstream/protocol'
import { suspicionOf } from '../bots/suspicion.js'
import type { Features } from '../features/feature.js'

/** Returns whether a visitor seems to be a program by what it did, under the id of any user. */
export function isLikeBot(
  { features: states, featuresByUser = {} }: Pick<Profile, 'features' | 'featuresByUser'>,
  features: Features,
): boolean {
  const all = [...(states ? [states] : []), ...Object.values(featuresByUser)]
  return all.some(featureStates => suspicionOf(featureStates, features).isBot)
}
