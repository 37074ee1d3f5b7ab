import { type LearningRecord, openEnvelope, type Profile, profileKey, type SignalRecord } from '@slotstream/protocol'
import { createLog, type Installation, type Nats, readStream } from '@slotstream/runtime'
import { applyAndDetect } from './signals.js'

const log = createLog('test')
log.level = 'silent'

type Streams = Pick<Installation, 'partitions' | 'streams' | 'past' | 'privacy'>

/** Profiles made of all that the streams of events have, by their key in the bucket. */
export async function profilesOfStream(nats: Nats, installation: Streams): Promise<Map<string, Profile>> {
  return (await replayedStreams(nats, installation)).profiles
}

/**
 * What all that the streams of events have gives: profiles by their key in the bucket, signals and learning records in
 * order.
 */
export async function replayedStreams(
  nats: Nats,
  { partitions, streams, past, privacy }: Streams,
): Promise<{
  profiles: Map<string, Profile>
  signals: SignalRecord[]
  learning: { seq: number; records: LearningRecord[] }[]
}> {
  const profiles = new Map<string, Profile>()
  const signals: SignalRecord[] = []
  const learning: { seq: number; records: LearningRecord[] }[] = []
  for (const { name } of [...past.events, ...streams.events]) {
    const { messages, last_seq } = (await nats.manager.streams.info(name)).state
    if (messages === 0) continue
    for await (const message of readStream(nats, name, { from: 1, log })) {
      const envelope = openEnvelope(message.json())
      const key = profileKey(privacy.keyed, envelope, partitions)
      const applied = applyAndDetect(profiles.get(key), envelope, message.seq)
      signals.push(...applied.signals)
      if (applied.learning) learning.push({ seq: message.seq, records: applied.learning })
      if (applied.profile) profiles.set(key, applied.profile)
      if (message.seq >= last_seq) break
    }
  }
  return { profiles, signals, learning }
}
