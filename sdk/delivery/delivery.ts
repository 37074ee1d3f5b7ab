import type { Settings } from '../options.js'
import type { Emit } from '../platform/emit.js'
import type { Log } from '../platform/guard.js'
import type { KeyValue } from '../platform/storage.js'
import { createEventStore, type EventStore } from './event-store.js'
import { openIndexedTables } from './indexed-tables.js'
import { createQueue, type Queue } from './queue.js'
import { createResilientTables } from './resilient-tables.js'
import { createSender, type Sender } from './sender.js'
import { createTransport, type Transport } from './transport.js'
import { createTurns } from './turns.js'

interface Parts {
  settings: Settings
  newId: () => string
  now: () => number
  emit: Emit
  log: Log
  storage: KeyValue
}

/** Wires queue, store and sender to the browser. Each write key has a queue of its own. */
export function createDelivery(parts: Parts): {
  queue: Queue
  sender: Sender
  transport: Transport
  close(): void
} {
  const { settings, newId, now, log } = parts
  const name = `slotstream-${settings.writeKey}`
  const own = `queue.${settings.writeKey}.`
  const storage: KeyValue = {
    get: key => parts.storage.get(own + key),
    set: (key, value) => parts.storage.set(own + key, value),
    remove: key => parts.storage.remove(own + key),
  }
  const tables = createResilientTables(
    onClosed => openIndexedTables(name, onClosed),
    () => store.known(),
    log,
  )
  const store: EventStore = createEventStore(tables.transact)
  const queue: Queue = createQueue(store, storage, newId, settings, messages => sender.nudge(messages))
  const transport = createTransport(settings.endpoint, settings.writeKey, (...request) => fetch(...request))
  const takeTurn = createTurns(name, navigator.locks, storage, now)
  const sender: Sender = createSender({ ...parts, storage, queue, store, transport, takeTurn, random: Math.random })
  // The page before may have left something.
  sender.nudge(0)
  return { queue, sender, transport, close: tables.close }
}
