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
import { queueName, type SealedBatch } from './database/tables.js'
import { createOutbox, type Outbox } from './outbox.js'
import type { createLease } from './send/lease.js'
import type { createLimits } from './send/limits.js'
import type { Sender } from './send/sender.js'

/** Bytes that requests which outlive their page may carry before sending has loaded, which keeps count. */
const EXIT_BYTES = 60_000

interface DeliveryDeps {
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
  limits: typeof createLimits
  memoryTables: typeof createMemoryTables
  sending: (delivery: Delivery) => Sender
}

type LoadModule = <Name extends keyof DeliveryModules>(
  name: Name,
) => DeliveryModules[Name] | Promise<DeliveryModules[Name]>

export interface Delivery extends DeliveryDeps {
  /** Name of the database and of the lock for sending. */
  name: string
  /** Beginning of the queue's keys in `storage`. */
  keyPrefix: string
  credentials: RequestCredentials
  outbox: Outbox
  store: EventStore
  /** Resolves with the sender, once it has loaded. */
  sending(): Promise<Sender>
  /** Begins, or goes on after a pause. */
  start(): void
  /** Sends everything the page has left, in a request that outlives it. */
  hide(): void
  /** To be called when messages were written, or may wait to be sent. */
  onWritten(messages: number): void
  /** To be called when the network seems to be back. */
  online(): void
  close(): void
  /** Ends it and deletes what is stored, unsent. */
  erase(): void
}

/**
 * Wires the outbox and its store to the browser. Each write key has a queue of its own. Whatever becomes of the file of
 * the sender: messages are stored without it, leave with their page, and the next page sends those that stayed. Longer
 * than 70 lines: it is the wiring, in one place.
 */
export function createDelivery(deps: DeliveryDeps): Delivery {
  const { settings, log, listeners, load } = deps
  const { endpoint, writeKey, idCookie } = settings
  const name = queueName(writeKey)
  const keyPrefix = `queue.${writeKey}.`
  const storage: KeyValue = {
    get: key => deps.storage.get(keyPrefix + key),
    set: (key, value) => deps.storage.set(keyPrefix + key, value),
  }
  const tables = createResilientTables(
    onClosed => openIndexedTables(name, onClosed),
    () => store.known(),
    () => untilLoaded(() => load('memoryTables'), log, listeners.signal),
    log,
    settings.cookieless,
  )
  const onWritten = (messages: number) => sender?.onWritten(messages)
  const store: EventStore = createEventStore(tables.transact)
  const outbox = createOutbox(deps, store, storage, onWritten)
  let sender: Sender | undefined
  let loading: Promise<Sender> | undefined
  let begun = false
  let keepaliveBudget = EXIT_BYTES

  const sending = () => {
    loading ??= untilLoaded(() => load('sending'), log, listeners.signal).then(create => {
      sender = create(delivery)
      if (begun) sender.start()
      return sender
    })
    return loading
  }
  /** Posts a batch without waiting for the answer; the next page sends it again. */
  const post = (batch: SealedBatch) => {
    const body = outbox.bodyFor(batch)
    keepaliveBudget -= bytesOf(body)
    fetch(`${endpoint}/v1/batch?writeKey=${encodeURIComponent(writeKey)}`, {
      method: 'POST',
      body,
      keepalive: true,
      credentials: delivery.credentials,
    }).then(response => response.text(), log)
  }
  const close = () => {
    begun = false
    sender?.stop()
    tables.close()
  }
  const delivery: Delivery = {
    ...deps,
    name,
    keyPrefix,
    credentials: idCookie === true ? 'same-origin' : idCookie || 'omit',
    storage,
    outbox,
    store,
    sending,
    start() {
      begun = true
      outbox.resume()
      if (sender) sender.start()
      else
        nextTask()
          .then(() => (begun ? sending() : undefined))
          .catch(log)
    },
    hide() {
      if (sender) sender.hide()
      else outbox.sendOnExit(() => keepaliveBudget, post)
    },
    onWritten,
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
