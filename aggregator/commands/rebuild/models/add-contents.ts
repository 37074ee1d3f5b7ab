import { foldEnvelope, type Learned, nothingLearned, type TakenMessages } from '@slotstream/core'
import { contentsRecordId, isOfPart, parseLearningEnvelope, parseStored } from '@slotstream/protocol'
import { type Installation, type Log, type Nats, readWhole } from '@slotstream/runtime'
import type { LoadedStream } from './loaded-outcomes.js'

/** The streams, and what of them is in the models that are made. */
export interface AddContentsDeps {
  nats: Nats
  installation: Pick<Installation, 'streams' | 'past'>
  loaded: readonly LoadedStream[]
  /** Removals that the streams have. */
  removed: ReadonlyMap<string, number>
  log: Log
  /** Milliseconds since the epoch. */
  now: number
}

/**
 * Adds what the streams of learning records say of the features of content to models that lack it: `learning_outcomes`
 * has what came of decisions alone. It reads as far as the models go, but for what was taken away.
 */
export async function addContents(
  learned: Learned,
  { nats, installation, loaded, removed, log, now }: AddContentsDeps,
): Promise<void> {
  const contentsLearned = nothingLearned()
  const live = [...installation.past.learning.filter(({ gone }) => !gone), ...installation.streams.learning]
  for (const { name } of live) {
    const through = loaded.find(stream => stream.name === name)?.through ?? 0
    for await (const { seq, subject, data } of readWhole(nats, name, log)) {
      if (seq > through) break
      const parsed = parseStored(data, parseLearningEnvelope)
      if (!parsed.ok || parsed.value.removal !== undefined) continue
      const { contents, ...envelope } = parsed.value
      const partition = Number(subject.split('.')[1])
      const isRemoved = removed.has(`${contentsRecordId(partition, envelope)}@${Date.parse(envelope.receivedAt)}`)
      const contentsOnly = { ...envelope, records: [], ...(contents && !isRemoved && { contents }) }
      foldEnvelope(contentsLearned, partition, contentsOnly, now)
    }
  }
  learned.contents = contentsLearned.contents
  learned.fills = contentsLearned.fills
  for (const [batch, at] of contentsLearned.removals) if (isOfPart({ batch })) learned.removals.set(batch, at)
  for (const [partition, messages] of contentsLearned.partitions) addTaken(learned, partition, messages)
}

/** Notes what was taken as well: messages that add to content alone are in no table. */
function addTaken({ partitions }: Learned, partition: number, { stored, above }: TakenMessages): void {
  const total = partitions.get(partition) ?? { stored: 0, above: new Set() }
  total.stored = Math.max(total.stored, stored)
  total.above = new Set([...total.above, ...above].filter(seq => seq > total.stored))
  partitions.set(partition, total)
}
