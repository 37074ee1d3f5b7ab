import { applyEnvelope } from '@slotstream/core'
import { type EventEnvelope, type Profile, visitorText } from '@slotstream/protocol'
import type { ReducerDefinitions } from '../../../profiles/definitions/compiled-definitions.js'
import { type HistoryDeps, messagesOf } from '../../../profiles/history/partition-messages.js'

/** The streams to replay, and what came before them. */
export interface ReplayDeps extends HistoryDeps {
  /**
   * Returns the profile of what came before the streams' first messages; undefined where the streams are all there is.
   */
  profileBefore?: ((siteId: string, visitorId: string) => Promise<Profile | undefined>) | undefined
  /** See `applyAndDetect`. */
  anonymousDays: number
  /** Returns what a site declares. */
  definitionsOf: (siteId: string) => ReducerDefinitions
  /** Takes each envelope before it is applied. */
  onEnvelope: (envelope: EventEnvelope) => void
}

/** Returns the profiles that the streams give for one partition, by site and visitor, in memory. */
export async function replayPartition(partition: number, deps: ReplayDeps): Promise<Map<string, Profile>> {
  const profiles = new Map<string, Profile>()
  for await (const { envelope, seq } of messagesOf(partition, deps))
    if (!(envelope instanceof Error)) {
      deps.onEnvelope(envelope)
      await apply(envelope, seq, profiles, deps)
    }
  return profiles
}

async function apply(
  envelope: EventEnvelope,
  seq: number,
  profiles: Map<string, Profile>,
  { profileBefore, anonymousDays, definitionsOf }: ReplayDeps,
): Promise<void> {
  const { siteId, visitorId } = envelope
  const key = visitorText(siteId, visitorId)
  try {
    const before = profiles.get(key) ?? (await profileBefore?.(siteId, visitorId))
    const profile = applyEnvelope(before, envelope, seq, { anonymousDays, ...definitionsOf(siteId) })
    if (profile) profiles.set(key, profile)
  } catch {
    // The live role stores it as a dead letter.
  }
}
