import { applyEnvelope } from '@slotstream/aggregator'
import { type EventEnvelope, keyToken, type Profile, partitionOf } from '@slotstream/protocol'
import { createLog, type Installation, type Nats, readStream } from '@slotstream/runtime'

const log = createLog('test')
log.level = 'silent'

/** Profiles made of all that the streams of events have, by their key in the bucket. */
export async function profilesOfStream(
  nats: Nats,
  { partitions, streams }: Pick<Installation, 'partitions' | 'streams'>,
): Promise<Map<string, Profile>> {
  const profiles = new Map<string, Profile>()
  for (const { name } of streams.events) {
    const { messages, last_seq } = (await nats.manager.streams.info(name)).state
    if (messages === 0) continue
    for await (const message of readStream(nats, name, { from: 1, log })) {
      const envelope = message.json<EventEnvelope>()
      const { siteId, visitorId } = envelope
      const key = `${partitionOf(siteId, visitorId, partitions)}.${siteId}.${keyToken(visitorId)}`
      const profile = applyEnvelope(profiles.get(key), envelope, message.seq)
      if (profile) profiles.set(key, profile)
      if (message.seq >= last_seq) break
    }
  }
  return profiles
}
