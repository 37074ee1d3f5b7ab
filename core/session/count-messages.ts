import type { FeatureStates, StoredMessage, Visit } from '@slotstream/protocol'
import type { Features } from '../features/feature.js'
import { draftFeatures, emptyStates } from '../features/state/reduce.js'
import { PAUSE_MS, timeOf } from '../profile/sessions.js'

/**
 * Returns the sessions of a browser after messages, by the reducer of the servers. Sessions that ended before the
 * latest one began are left out: no value is asked for of them any more. `visits` is not changed.
 *
 * @param messages that were not counted before; those without a usable time are left out
 */
export function countMessages(
  visits: readonly Visit[],
  messages: readonly StoredMessage[],
  features: Features,
): Visit[] {
  const draft = draftFeatures(statesOf(visits), features)
  for (const message of messages) {
    const at = timeOf(message.timestamp)
    if (!Number.isNaN(at)) draft.add(message, at)
  }
  return latestOf(draft.soFar().visits)
}

/** Returns sessions as the states of a visitor who has nothing else. */
export function statesOf(visits: readonly Visit[]): FeatureStates {
  return { ...emptyStates(0), visits: [...visits] }
}

/** Returns those of which one may be running, and what belongs to these without a name. */
function latestOf(visits: readonly Visit[]): Visit[] {
  const latest = Math.max(...visits.map(([, , endedAt]) => endedAt))
  const mayRun = visits.filter(([, , endedAt]) => endedAt >= latest - PAUSE_MS)
  const earliest = Math.min(...mayRun.map(([, startedAt]) => startedAt))
  return visits.filter(([id, , endedAt]) => endedAt >= (id === '' ? earliest : latest) - PAUSE_MS)
}
