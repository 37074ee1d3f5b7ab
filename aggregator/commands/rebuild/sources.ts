import {
  type DecisionEnvelope,
  type EventEnvelope,
  POSITIONS_PER_STREAM,
  type StreamKind,
  type StreamPart,
  streamSubject,
} from '@slotstream/protocol'
import type { Installation, Publisher } from '@slotstream/runtime'
import { completeThrough, positionKeeper } from '../../warehouse/positions/position.js'
import { SPECS } from '../../warehouse/tables/specs.js'
import type { Source } from './rebuild-table.js'
import type { LoaderPosition } from './write-barrier.js'

/** A message without content: it changes nothing wherever it is read, and moves positions past what came before. */
const NO_VISITOR = { siteId: 'slotstream', visitorId: 'rebuild' }

/** Returns the tables that derived tables may be made of, by name, with the loaders' positions. */
export function loadedTables(
  { buckets, streams, past }: Pick<Installation, 'buckets' | 'streams' | 'past'>,
  publisher: Pick<Publisher, 'publish'>,
): ReadonlyMap<string, Source> {
  async function positionOf(kind: StreamKind, { name, base }: StreamPart): Promise<LoaderPosition> {
    const last = base + POSITIONS_PER_STREAM - 1
    const savedPosition = await positionKeeper(buckets.positions, name).load()
    const complete = completeThrough(savedPosition, base)
    if (complete === undefined)
      throw new Error(`${SPECS[kind].table} is still being filled in after it was restored: try again later`)
    return { base, last, complete, announced: savedPosition?.last ?? base }
  }

  const source = (kind: 'events' | 'decisions', content: Partial<EventEnvelope & DecisionEnvelope>): Source => ({
    position: () => Promise.all([...past[kind], ...streams[kind]].map(part => positionOf(kind, part))),
    async nudge() {
      const envelope = { ...NO_VISITOR, receivedAt: new Date().toISOString(), ...content }
      for (const { first } of streams[kind])
        await publisher.publish(streamSubject(kind, first), JSON.stringify(envelope))
    },
  })
  return new Map([
    [SPECS.events.table, source('events', { messages: [] })],
    [SPECS.decisions.table, source('decisions', { decisions: [] })],
  ])
}
