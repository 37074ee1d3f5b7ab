import { bodyOf, ENVELOPE_BYTES } from '../delivery/body.js'
import { createEventStore, type EventStore } from '../delivery/database/event-store.js'
import { openIndexedTables } from '../delivery/database/indexed-tables.js'
import { queueName } from '../delivery/database/tables.js'
import { createLimits } from '../delivery/send/limits.js'
import { outcomeOf } from '../delivery/send/outcome.js'
import { createSealedBatches } from '../delivery/send/sealed-batches.js'
import { createTransport, type Transport } from '../delivery/send/transport.js'
import { createIds } from '../platform/ids.js'
import type { Rest } from './sync-tag.js'

/**
 * Sends messages that pages left in the queue, while no tab does: the same batches, under the same ids, by the same
 * lock.
 *
 * @throws {Error} when messages stay that may be sent later, so that the browser tries again
 */
export async function deliverRest(rest: Rest): Promise<void> {
  const name = queueName(rest.writeKey)
  // To open it would bring back a queue that was deleted.
  if (!(await indexedDB.databases()).some(database => database.name === name)) return
  const { transact, close } = await openIndexedTables(name, () => {})
  const transport = createTransport(rest.endpoint, rest.writeKey)
  try {
    await navigator.locks.request(name, () => drain(createEventStore(transact), transport, rest))
  } finally {
    close()
  }
}

async function drain(events: EventStore, transport: Transport, { maxBatchBytes, maxQueueAge }: Rest): Promise<void> {
  const newId = createIds(Date.now)
  const store = { ...createSealedBatches(events), ...createLimits(events) }
  await store.trim(Date.now() - maxQueueAge, Infinity)
  for (;;) {
    const [oldest] = await store.batches(1)
    const batch = (await store.seal(newId(), maxBatchBytes - ENVELOPE_BYTES, oldest?.batchId)) ?? oldest
    if (!batch) return
    const { batchId, texts } = batch
    const body = bodyOf(batch, Date.now(), events.known()?.ledger)
    const reply = await transport.post('/v1/batch', body, { compress: true })
    const outcome = outcomeOf(reply, Date.now())
    if (outcome.kind === 'retry') throw new Error(outcome.reason)
    if (outcome.kind === 'acknowledged') await store.settle(batchId, outcome.dropped)
    else if (outcome.reason !== 'http_413' || !(await store.split(batchId)))
      await store.settle(batchId, { [outcome.reason]: texts.length })
  }
}
