import { POSITIONS_PER_STREAM } from '@slotstream/protocol'
import { type Installation, type Nats, streamInfo } from '@slotstream/runtime'
import { completeThrough, positionKeeper } from '../../../warehouse/positions/position.js'
import { resume } from '../../../warehouse/positions/resume.js'

/** The part of a stream of learning records that is in the table `learning_outcomes`. */
export interface LoadedStream {
  name: string
  /**
   * Positions in the table, both ends included, that stand for its messages and for those of streams of its name
   * before.
   */
  first: number
  last: number
  /**
   * Position of a message minus its sequence, of the stream as it is now: lower positions are of a stream that is gone.
   */
  offset: number
  /** Sequence up to which it is in the table. */
  through: number
}

/**
 * Finds out up to where each stream of learning records is in its table.
 *
 * @param highestWithin returns the highest position of the table within a range, or 0
 * @throws Error while a table that was restored is still being filled in
 */
export async function loadedOutcomes(
  nats: Nats,
  { buckets, streams, past }: Pick<Installation, 'buckets' | 'streams' | 'past'>,
  highestWithin: (first: number, last: number) => Promise<number>,
): Promise<LoadedStream[]> {
  const loaded: LoadedStream[] = []
  for (const { name, base } of [...past.learning, ...streams.learning]) {
    const end = base + POSITIONS_PER_STREAM - 1
    const position = await positionKeeper(buckets.positions, name).load()
    const streamLast = (await streamInfo(nats, name))?.state.last_seq ?? 0
    const highest = Math.max(base, await highestWithin(base + 1, end))
    const complete = position ? completeThrough(position, base) : highest
    if (complete === undefined)
      throw new Error('learning_outcomes is still being filled in after it was restored: try again later')
    // A stream that was lost counts from 1 again, behind what the table has.
    const { offset } = resume(position, highest, streamLast, base)
    const last = Math.max(complete, offset)
    loaded.push({ name, first: base + 1, last, offset, through: Math.min(streamLast, Math.max(0, complete - offset)) })
  }
  return loaded
}
