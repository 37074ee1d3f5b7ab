import { gunzipSync } from 'node:zlib'
import {
  advanceLearned,
  foldEnvelope,
  type Learned,
  noteMissed,
  nothingLearned,
  parseLearned,
  writeLearned,
} from '@slotstream/core'
import { type LearningEnvelope, parseLearningEnvelope, parseStored } from '@slotstream/protocol'
import { createLog, type Installation, type Nats, readWhole } from '@slotstream/runtime'
import { createSnapshotStore } from '#aggregator/learning/snapshot/snapshot-store.js'
import { linesOf } from '#aggregator/learning/snapshot/snapshot-text.js'

const log = createLog('test')
log.level = 'silent'

type Parts = { nats: Nats; installation: Pick<Installation, 'buckets' | 'streams'> }

/** Reads the snapshot of what was learned; undefined: there is none that is whole. */
export async function readSnapshot({ nats, installation }: Parts) {
  const found = await createSnapshotStore(nats, installation.buckets.learning, log).read()
  return found && parseLearned(linesOf(gunzipSync(Buffer.concat(found.chunks))))
}

/** Learns from scratch, from the beginning of the streams, as of now. */
export async function foldStreams({ nats, installation }: Parts): Promise<Learned> {
  const learned = nothingLearned()
  for (const { name, base } of installation.streams.learning) {
    let through = 0
    for await (const message of readWhole(nats, name, log)) {
      const parsed = parseStored(message.data, parseLearningEnvelope)
      if (!parsed.ok) throw new Error(parsed.reason)
      noteMissed(learned.missed, base + through + 1, base + message.seq - 1)
      foldEnvelope(learned, Number(message.subject.split('.')[1]), parsed.value, Date.now())
      through = message.seq
    }
  }
  return learned
}

/** Learns from envelopes, as of now. */
export function foldEnvelopes(all: readonly { partition: number; envelope: LearningEnvelope }[]): Learned {
  const learned = nothingLearned()
  for (const { partition, envelope } of all) foldEnvelope(learned, partition, envelope, Date.now())
  return learned
}

/** Returns all sums as text, as of a time: equal for equal sums alone. */
export function sumsOf(learned: Learned, at: number): string[] {
  advanceLearned(learned, at)
  return [
    ...writeLearned({ ...learned, partitions: new Map(), fills: new Map(), removals: new Map(), missed: [] }, {}, 0),
  ]
}

/** Returns views and rewards of each content of a slot, over all epochs. */
export function totalsOf({ slots }: Learned): Record<string, { views: number; reward: number }> {
  const totals: Record<string, { views: number; reward: number }> = {}
  for (const { siteId, slotId, epochs } of slots.values())
    for (const { sums } of epochs.cells.values())
      for (const [contentId, { positions }] of sums.contents)
        for (const [views, reward] of positions.values()) {
          const name = `${siteId} ${slotId} ${contentId}`
          const total = totals[name] ?? { views: 0, reward: 0 }
          totals[name] = { views: total.views + views, reward: total.reward + reward }
        }
  return totals
}
