import { STREAMS, streamSubject } from '@slotstream/protocol'
import type { Nats } from '@slotstream/runtime'

/** Stream sequence of the latest message of events in a partition, 0 for none. */
export async function lastEvent(nats: Pick<Nats, 'manager'>, partition: number): Promise<number> {
  const subject = streamSubject('events', partition)
  return (await nats.manager.streams.getMessage(STREAMS.events.name, { last_by_subj: subject }))?.seq ?? 0
}
