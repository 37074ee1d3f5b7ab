import { randomUUID } from 'node:crypto'
import type { ClickHouseClient } from '@clickhouse/client'
import { foldEnvelope, LEARNING_HORIZON_MS, type Learned, nothingLearned, writeLearned } from '@slotstream/core'
import { parseLearningEnvelope, parseStored } from '@slotstream/protocol'
import { type CommandDeps, type Installation, type Log, type Nats, readWhole } from '@slotstream/runtime'
import { createSnapshotStore } from '../../../learning/snapshot/snapshot-store.js'
import { toChunks } from '../../../learning/snapshot/snapshot-text.js'
import { addContents } from './add-contents.js'
import { type LoadedStream, loadedOutcomes } from './loaded-outcomes.js'
import { type OutcomeMessage, outcomeMessages } from './outcome-rows.js'

/**
 * Messages of a partition whose sequences are remembered one by one, and how many more before they are counted through.
 */
const REMEMBERED = 20_000
const PRUNED_EVERY = 20_000

/**
 * Computes what policies have learned once more, from `learning_outcomes`, and puts it in the place of the snapshot.
 * Processes that decide begin again from it within half a minute, and go on from where the table ends. The sums are
 * those that they would have, in integers; those of features of content are of what the streams have.
 *
 * @param maxBytes that the sums of all slots may take. Default: no bound
 * @throws Error while the table is still being filled in
 */
export async function rebuildModels(
  clickhouse: ClickHouseClient,
  { nats, installation, log, print }: Pick<CommandDeps, 'nats' | 'installation' | 'log' | 'print'>,
  maxBytes?: number,
): Promise<void> {
  const highestWithin = (first: number, last: number) => highestPosition(clickhouse, first, last)
  const loaded = await loadedOutcomes(nats, installation, highestWithin)
  const learned = nothingLearned(maxBytes)
  const removed = await removalsIn(nats, installation, loaded, log)
  for (const [id, at] of removed) learned.removals.set(id, at)
  const now = Date.now()
  let records = 0
  let messages = 0
  const selection = { within: loaded, since: now - LEARNING_HORIZON_MS }
  for await (const message of outcomeMessages(clickhouse, selection)) {
    records += foldMessage(learned, message, { isBefore: isOfEarlier(message, loaded), removed, now })
    if (++messages % PRUNED_EVERY === 0) forgetOld(learned)
  }
  await addContents(learned, { nats, installation, loaded, removed, log, now })
  forgetOld(learned)
  const positions = Object.fromEntries(loaded.map(({ name, through }) => [name, through]))
  const at = Date.now()
  const chunks = await toChunks([...writeLearned(learned, positions, at)])
  const store = createSnapshotStore(nats, installation.buckets.learning, log)
  const written = await store.write({ chunks, at, positions, origin: randomUUID() }, 'whatever is there')
  if (written !== 'written') throw new Error('another process stored what was learned at the same time: try again')
  print(`models: ${records} steps of ${learned.slots.size} slots, rebuilt from learning_outcomes`)
}

async function highestPosition(clickhouse: ClickHouseClient, first: number, last: number): Promise<number> {
  const result = await clickhouse.query({
    query: `SELECT toString(max(stream_seq)) AS highest FROM slotstream.learning_outcomes
            WHERE stream_seq BETWEEN {first:UInt64} AND {last:UInt64}`,
    query_params: { first, last },
    format: 'JSONEachRow',
  })
  const [row] = await result.json<{ highest: string }>()
  return Number(row?.highest ?? 0)
}

/** Returns whether a message is of a stream that was lost since: what comes with its sequence now is another one. */
function isOfEarlier({ position }: OutcomeMessage, loaded: readonly LoadedStream[]): boolean {
  const stream = loaded.find(({ first, last }) => position >= first && position <= last)
  return stream !== undefined && position <= stream.offset
}

/** Learns from a message but for what was taken away. Returns the records that were learned from. */
function foldMessage(
  learned: Learned,
  { partition, envelope, recordIds }: OutcomeMessage,
  { isBefore, removed, now }: { isBefore: boolean; removed: ReadonlyMap<string, number>; now: number },
): number {
  const { receivedAt, batch } = envelope
  const idOf = (recordId: string) => `${recordId}@${Date.parse(receivedAt)}`
  if (batch !== undefined && removed.has(idOf(batch))) return 0
  const records = envelope.records.filter((_, index) => !removed.has(idOf(recordIds[index]!)))
  const folded = foldEnvelope(learned, isBefore ? NO_PARTITION : partition, { ...envelope, records }, now)
  if (isBefore) learned.partitions.delete(NO_PARTITION)
  return folded.records
}

/** Partition number under which messages are noted that are forgotten again. */
const NO_PARTITION = -1

/** Counts through what is so old that it is not told again: sequences of a partition rise. */
function forgetOld({ partitions }: Learned): void {
  for (const messages of partitions.values()) {
    if (messages.above.size <= REMEMBERED) continue
    const sequences = [...messages.above].sort((a, b) => a - b)
    messages.stored = sequences[sequences.length - REMEMBERED - 1]!
    messages.above = new Set(sequences.slice(-REMEMBERED))
  }
}

/**
 * Returns the removals that the streams have of what is in the table, with their times: rows that they take away may
 * not have left it yet. What comes behind the table is learned from, and taken away, as ever.
 */
async function removalsIn(
  nats: Nats,
  { streams, past }: Pick<Installation, 'streams' | 'past'>,
  loaded: readonly LoadedStream[],
  log: Log,
): Promise<Map<string, number>> {
  const isLoaded = (position: number) => loaded.some(({ first, last }) => position >= first && position <= last)
  const removals = new Map<string, number>()
  const live = [...past.learning.filter(({ gone }) => !gone), ...streams.learning]
  for (const { name } of live)
    for await (const message of readWhole(nats, name, log)) {
      const parsed = parseStored(message.data, parseLearningEnvelope)
      if (!parsed.ok) continue
      const { removal, removes, receivedAt } = parsed.value
      if (removal !== undefined && (removes === undefined || isLoaded(removes)))
        removals.set(removal, Date.parse(receivedAt))
    }
  return removals
}
