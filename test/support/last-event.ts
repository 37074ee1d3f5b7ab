import { streamSubject } from '@slotstream/protocol'
import type { Nats } from '@slotstream/runtime'

/** Stream sequence of the latest message of events in a partition, 0 for none. */
export async function lastEvent({ manager }: Pick<Nats, 'manager'>, partition: number): Promise<number> {
  const subject = streamSubject('events', partition)
  const stream = await manager.streams.find(subject)
  return (await manager.streams.getMessage(stream, { last_by_subj: subject }))?.seq ?? 0
}
