import { partOf, type StreamPart, stores } from '@slotstream/protocol'
import { type Installation, pause } from '@slotstream/runtime'
import { completeThrough, positionKeeper } from '../warehouse/positions/position.js'

/**
 * Time that ClickHouse may take to have the messages that profiles have, in milliseconds, and the time between two
 * looks.
 */
const LOADED_WITHIN_MS = 30_000
const LOOK_MS = 200

/** Places in the streams of events as the table `events` numbers them. */
export interface StreamPositions {
  /** Returns the position of a partition's message by its sequence in the stream. */
  positionOf(partition: number, seq: number): number
  /**
   * Resolves to whether the table has everything up to some positions of partitions.
   *
   * @param minPositions position by partition
   */
  untilLoaded(minPositions: ReadonlyMap<number, number>): Promise<(partition: number, position: number) => boolean>
}

/** Reads how the streams are numbered now. */
export async function readStreamPositions(
  { streams, past, buckets }: Pick<Installation, 'streams' | 'past' | 'buckets'>,
  { withinMs = LOADED_WITHIN_MS, signal }: { withinMs?: number; signal?: AbortSignal } = {},
): Promise<StreamPositions> {
  const offsets = new Map<string, number>()
  for (const { name, base } of streams.events)
    offsets.set(name, (await positionKeeper(buckets.positions, name).load())?.offset ?? base)

  function partOfMessage(partition: number, seq: number): StreamPart {
    const current = partOf(streams.events, partition)
    // What was retired took what came before, and the sequences of its successors go on after its own.
    const before = past.events.filter(part => stores(part, partition) && part.start <= seq)
    return seq >= current.start ? current : (before.at(-1) ?? current)
  }

  async function loadedThrough({ name, base }: StreamPart): Promise<number> {
    return completeThrough(await positionKeeper(buckets.positions, name).load(), base) ?? base
  }

  return {
    positionOf(partition, seq) {
      const { name, base } = partOfMessage(partition, seq)
      return seq + (offsets.get(name) ?? base)
    },
    async untilLoaded(minPositions) {
      const deadline = performance.now() + withinMs
      for (;;) {
        const loaded = new Map<string, number>()
        for (const part of streams.events) loaded.set(part.name, await loadedThrough(part))
        // A retired stream's positions are below those of the present ones, which are loaded after it.
        const has = (partition: number, position: number) =>
          position <=
          Math.max(loaded.get(partOf(streams.events, partition).name)!, partOf(streams.events, partition).base)
        if ([...minPositions].every(([partition, position]) => has(partition, position))) return has
        if (performance.now() > deadline) return has
        await pause(LOOK_MS, signal)
      }
    },
  }
}
