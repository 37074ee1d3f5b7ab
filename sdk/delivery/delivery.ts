import type { Settings } from '../client/options.js'
import { bytesOf } from '../platform/bytes.js'
import type { Emit } from '../platform/emit.js'
import { guard, type Log } from '../platform/guard.js'
import type { Listeners } from '../platform/listeners.js'
import { nextTask } from '../platform/next-task.js'
import type { KeyValue } from '../platform/storage.js'
import { untilLoaded } from '../platform/until-loaded.js'
import { createEventStore, type EventStore } from './database/event-store.js'
import { openIndexedTables } from './database/indexed-tables.js'
import type { createMemoryTables } from './database/memory-tables.js'
import { createResilientTables } from './database/resilient-tables.js'
import { queueName } from './database/tables.js'
import { createPageEnd, type PageEnd } from './page-end.js'
import { createQueue, type Queue } from './queue.js'
import type { createLease } from './send/lease.js'
import type { Sender } from './send/sender.js'

/** Bytes that requests which outlive their page may carry before sending has loaded, which keeps count. */
const PARTING_BYTES = 60_000

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
  load: LoadModule
}

/** Modules that delivery loads when it needs them, each from a file of its own. */
export interface DeliveryModules {
  lease: typeof createLease
  memoryTables: typeof createMemoryTables
  sending: (delivery: Delivery) => Sender
}

type LoadModule = <Name extends keyof DeliveryModules>(
  name: Name,
) => DeliveryModules[Name] | Promise<DeliveryModules[Name]>

export interface Delivery extends Parts {
  /** Of the database and of the lock of who sends. */
  name: string
  /** What the queue's keys in `storage` begin with. */
  own: string
  credentials: RequestCredentials
  queue: Queue
  store: EventStore
  pageEnd: PageEnd
  /** What sends, once it has loaded. */
  sending(): Promise<Sender>
  /** Begins, or goes on after a pause. */
  start(): void
  /** Sends what the page still holds, in a request that outlives it. */
  hide(): void
  /** Tells that messages were written. */
  nudge(messages: number): void
  /** The network seems to be back. */
  online(): void
  close(): void
  /** Ends it and deletes what is stored, unsent. */
  erase(): void
}

/**
 * Wires the queue and its store to the browser. Each write key has a queue of its own. Whatever becomes of the file
 * that sends: messages are stored without it, leave with their page, and the next page sends what stayed.
 */
export function createDelivery(parts: Parts): Delivery {
  const { settings, newId, log, listeners, load, paused } = parts
  const { endpoint, writeKey, idCookie } = settings
  const name = queueName(writeKey)
  const own = `queue.${writeKey}.`
  const storage: KeyValue = {
    get: key => parts.storage.get(own + key),
    set: (key, value) => parts.storage.set(own + key, value),
  }
  const tables = createResilientTables(
    onClosed => openIndexedTables(name, onClosed),
    () => store.known(),
    () => untilLoaded(() => load('memoryTables'), log, listeners.signal),
    log,
    settings.cookieless,
  )
  const nudge = (messages: number) => sender?.nudge(messages)
  const store: EventStore = createEventStore(tables.transact)
  const queue: Queue = createQueue(store, storage, newId, settings, nudge, paused)
  const pageEnd = createPageEnd({ ...parts, storage, queue, store, nudge })
  let sender: Sender | undefined
  let loading: Promise<Sender> | undefined
  let begun = false
  let room = PARTING_BYTES

  const sending = () => {
    loading ??= untilLoaded(() => load('sending'), log, listeners.signal).then(create => {
      sender = create(delivery)
      if (begun) sender.start()
      return sender
    })
    return loading
  }
  /** Nobody waits for the answer; the next page asks again. */
  const part = (batch: Parameters<PageEnd['bodyFor']>[0]) => {
    const body = pageEnd.bodyFor(batch)
    room -= bytesOf(body)
    const { credentials } = delivery
    fetch(`${endpoint}/v1/batch?writeKey=${encodeURIComponent(writeKey)}`, {
      method: 'POST',
      body,
      keepalive: true,
      credentials,
    }).then(response => response.text(), log)
  }
  const close = () => {
    begun = false
    sender?.stop()
    tables.close()
  }
  const delivery: Delivery = {
    ...parts,
    name,
    own,
    credentials: idCookie === true ? 'same-origin' : idCookie || 'omit',
    storage,
    queue,
    store,
    pageEnd,
    sending,
    start() {
      begun = true
      queue.resume()
      if (sender) sender.start()
      else
        nextTask()
          .then(() => (begun ? sending() : undefined))
          .catch(log)
    },
    hide() {
      if (sender) sender.hide()
      else pageEnd.leave(() => room, part)
    },
    nudge,
    online: () => sender?.online(),
    close,
    erase() {
      close()
      tables.erase()
      // It may be missing or blocked.
      guard(log, () => indexedDB.deleteDatabase(name))
    },
  }
  return delivery
}
