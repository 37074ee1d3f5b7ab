import { type DecisionEnvelope, type EventEnvelope, type StreamKind, streamSubject } from '@slotstream/protocol'
import type { Installation, Publisher } from '@slotstream/runtime'
import { positionKeeper } from '../warehouse/position.js'
import { SPECS } from '../warehouse/specs.js'
import type { Source } from './rebuild-table.js'

/** A message without content: it changes nothing wherever it is read, and moves positions past what came before. */
const NOBODY = { siteId: 'slotstream', visitorId: 'rebuild' }

/** The tables that derived tables may be made of, by name, with the loaders' positions. */
export function loadedTables(
  { buckets }: Pick<Installation, 'buckets'>,
  publisher: Pick<Publisher, 'publish'>,
): ReadonlyMap<string, Source> {
  const source = (kind: StreamKind, content: Partial<EventEnvelope & DecisionEnvelope>): Source => ({
    async position() {
      const known = await positionKeeper(buckets.positions, SPECS[kind].stream).load()
      if (!known) return { complete: 0, announced: 0 }
      if (known.pending)
        throw new Error(`${SPECS[kind].table} is still being filled in after it was restored: try again later`)
      return { complete: known.done ? known.last : known.first - 1, announced: known.last }
    },
    async nudge() {
      const envelope = { ...NOBODY, receivedAt: new Date().toISOString(), ...content }
      await publisher.publish(streamSubject(kind, 0), JSON.stringify(envelope))
    },
  })
  return new Map([
    [SPECS.events.table, source('events', { messages: [] })],
    [SPECS.decisions.table, source('decisions', { decisions: [] })],
  ])
}
