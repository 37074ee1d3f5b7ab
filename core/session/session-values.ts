import type { Json, Visit } from '@slotstream/protocol'
import type { Features } from '../features/feature.js'
import { mergeWhole } from '../features/state/merge-whole.js'
import { runningSession, sessionValue } from '../features/state/session-value.js'
import { statesOf } from './count-messages.js'

/**
 * Returns the values of the session that runs at a time, by the rule of the servers; those of nothing where none does.
 *
 * @param shares what each tab of the browser has counted
 * @param at milliseconds since the epoch
 */
export function sessionValues(shares: readonly Visit[][], features: Features, at: number): Record<string, Json> {
  const together = shares.map(statesOf).reduce((a, b) => mergeWhole(a, b, features), statesOf([]))
  const session = runningSession(together, features, at)
  return Object.fromEntries([...features.byName].map(([name, feature]) => [name, sessionValue(session, feature, at)]))
}
