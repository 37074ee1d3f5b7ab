import type { Settings } from '../options.js'
import type { Emit } from '../platform/emit.js'
import { guard, type Log } from '../platform/guard.js'
import type { Listeners } from '../platform/listeners.js'
import { nextTask } from '../platform/next-task.js'
import type { KeyValue } from '../platform/storage.js'
import { createEventStore, type EventStore } from './event-store.js'
import { openIndexedTables } from './indexed-tables.js'
import { createQueue, type Queue } from './queue.js'
import { createResilientTables } from './resilient-tables.js'
import { createSender, type Sender } from './sender.js'
import { queueName } from './tables.js'
import { createTransport, type Transport } from './transport.js'
import { createTurns } from './turns.js'
import { watchOver } from './watch-over.js'

interface Parts {
  settings: Settings
  newId: () => string
  now: () => number
  emit: Emit
  log: Log
  listeners: Listeners
  storage: KeyValue
  /** While true, messages stay in memory: nothing is stored or sent. */
  paused: () => boolean
}

export interface Delivery extends Parts {
  queue: Queue
  store: EventStore
  sender: Sender
  transport: Transport
  /** Begins, or goes on after a pause. */
  start(): void
  close(): void
  /** Ends it and deletes what is stored, unsent. */
  erase(): void
}

/** Wires queue, store and sender to the browser. Each write key has a queue of its own. */
export function createDelivery(parts: Parts): Delivery {
  const { settings, newId, now, log, listeners, paused } = parts
  const name = queueName(settings.writeKey)
  const own = `queue.${settings.writeKey}.`
  const storage: KeyValue = {
    get: key => parts.storage.get(own + key),
    set: (key, value) => parts.storage.set(own + key, value),
    remove: key => parts.storage.remove(own + key),
  }
  const { locks } = navigator
  const tables = createResilientTables(
    onClosed => openIndexedTables(name, onClosed),
    () => store.known(),
    log,
    settings.cookieless,
  )
  const store: EventStore = createEventStore(tables.transact)
  const written = (messages: number) => sender.nudge(messages)
  const queue: Queue = createQueue(store, storage, newId, settings, written, paused)
  const { endpoint, writeKey, idCookie } = settings
  const transport = createTransport(
    endpoint,
    writeKey,
    (...request) => fetch(...request),
    idCookie === true ? 'same-origin' : idCookie || undefined,
  )
  const takeTurn = createTurns(name, locks, store, now)
  const sender: Sender = createSender({ ...parts, storage, queue, store, transport, takeTurn, random: Math.random })
  const close = () => {
    sender.stop()
    tables.close()
  }
  return {
    ...parts,
    queue,
    store,
    sender,
    transport,
    start() {
      queue.resume()
      sender.start()
      if (settings.cookieless) return
      const watch = () =>
        listeners.signal.aborted || watchOver(`${name}.watch`, `${own}seq`, locks, listeners, () => sender.nudge(0))
      // What other tabs leave can wait; the page may be waiting for this task.
      nextTask().then(watch).catch(log)
    },
    close,
    erase() {
      close()
      tables.erase()
      // It may be missing or blocked.
      guard(log, () => indexedDB.deleteDatabase(name))
    },
  }
}
