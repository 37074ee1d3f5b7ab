import type { PositionKeeper } from '../positions/position.js'
import { type ResumePoint, resume, resumeUnannounced } from '../positions/resume.js'
import type { StreamSpec } from '../tables/specs.js'
import type { Table } from '../tables/table.js'
import type { Retry } from './load-deps.js'
import { type RecentKeys, recentKeys } from './write/recent-keys.js'

/** Bounds on the rows that are read back into the set of recent keys: their age, in milliseconds, and their number. */
const RECENT_MS = 60 * 60_000
const RECENT_ROWS = 250_000

/** The start of a new owner of a stream. */
export interface Recovered {
  point: ResumePoint
  recent: RecentKeys
  /** True if all messages of the stream are loaded. */
  isLoaded: boolean
}

/**
 * Takes the stream over from its last owner: claims the announcement, and derives where to go on from it, the table and
 * the stream. The last rows of the table become the set of recent keys.
 *
 * @param lastSequence of the stream's last message
 * @throws LostOwnership when another writer announced a block meanwhile
 */
export async function recover(
  {
    spec,
    table,
    position,
    lastSequence,
  }: {
    spec: StreamSpec
    table: Table
    position: PositionKeeper
    lastSequence: () => Promise<number>
  },
  retry: Retry,
): Promise<Recovered> {
  const announced = await retry(position.load)
  await retry(position.claim)
  const base = (spec.positions?.first ?? 1) - 1
  const [highest, streamLast] = [await retry(table.highest), await retry(lastSequence)]
  const point = position.misfits
    ? resumeUnannounced(highest, streamLast, base)
    : resume(announced, highest, streamLast, base)

  const since = Date.now() - RECENT_MS
  const latest = await retry(() => table.recent(new Date(since), RECENT_ROWS))
  const recent = recentKeys(latest.length < RECENT_ROWS ? since : latest.at(-1)!.receivedAt)
  for (const { text, receivedAt } of latest.reverse()) recent.add(text, receivedAt)
  return { point, recent, isLoaded: !point.redo && point.next > streamLast + point.offset }
}
