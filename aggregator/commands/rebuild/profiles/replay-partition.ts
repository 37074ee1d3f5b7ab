import { applyEnvelope } from '@slotstream/core'
import { type EventEnvelope, type Profile, streamSubject, visitorText } from '@slotstream/protocol'
import { type Log, type Nats, readWhole } from '@slotstream/runtime'
import type { ReducerDefinitions } from '../../../profiles/definitions/compiled-definitions.js'
import { parseEnvelope } from '../../../profiles/store/parse-envelope.js'
import type { EventRanges, Range } from './event-ranges.js'

/** The streams to replay, and what came before them. */
export interface ReplayDeps {
  nats: Nats
  log: Log
  ranges: EventRanges
  /** Returns the profile of what came before the streams' first messages; undefined where the streams are all there is. */
  profileBefore?: ((siteId: string, visitorId: string) => Promise<Profile | undefined>) | undefined
  /** See `applyAndDetect`. */
  anonymousDays: number
  /** Returns what a site declares. */
  definitionsOf: (siteId: string) => ReducerDefinitions
}

/** Returns the profiles that the streams give for one partition, by site and visitor, in memory. */
export async function replayPartition(partition: number, deps: ReplayDeps): Promise<Map<string, Profile>> {
  const profiles = new Map<string, Profile>()
  for (const range of deps.ranges.of(partition))
    for await (const { envelope, seq } of messagesOf(partition, range, deps))
      if (!(envelope instanceof Error)) await apply(envelope, seq, profiles, deps)
  return profiles
}

/** Yields a partition's messages in a range. */
async function* messagesOf(
  partition: number,
  range: Range,
  { nats, log, ranges }: ReplayDeps,
): AsyncGenerator<{ envelope: EventEnvelope | Error; seq: number }> {
  const { part, first, end } = range
  const subject = streamSubject('events', partition)
  if (first > end || !(await nats.manager.streams.getMessage(part.name, { last_by_subj: subject }))) return
  // nats-server rejects a filter by a subject that the stream no longer takes.
  const filter = ranges.current.includes(range) ? { subject } : {}
  for await (const message of readWhole(nats, part.name, log, { from: first, ...filter })) {
    if (message.seq > end) return
    if (message.subject === subject) yield { envelope: parseEnvelope(message.data), seq: message.seq }
  }
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
