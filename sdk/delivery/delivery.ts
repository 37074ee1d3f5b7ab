import type { Settings } from '../client/options.js'
import { bytesOf } from '../platform/bytes.js'
import type { Emit } from '../platform/emit.js'
import { guard, type Log } from '../platform/guard.js'
import type { Listeners } from '../platform/listeners.js'
import type { KeyValue } from '../platform/storage.js'
import { untilLoaded } from '../platform/until-loaded.js'
import { afterSlots } from '../slots/after-slots.js'
import { createEventStore, type EventStore } from './database/event-store.js'
import { openIndexedTables } from './database/indexed-tables.js'
import type { createMemoryTables } from './database/memory-tables.js'
import { createResilientTables } from './database/resilient-tables.js'
import { queueName, type SealedBatch } from './database/tables.js'
import { createOutbox, type Outbox } from './outbox.js'
import type { createLease } from './send/lease.js'
import type { createLimits } from './send/limits.js'
import type { Positions } from './send/positions.js'
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
  positions: Positions
  /** The sender, once it has loaded. */
  sender?: Sender
  /** Resolves with the sender, once it has loaded, which begins at once, or `after` something, if it hasn't yet. */
  sending(after?: Promise<void>): Promise<Sender>
  /** Repeats `load` until it succeeds, or the page ends it. */
  whenLoaded<T>(load: () => T | Promise<T>): Promise<T>
  /** Begins, or goes on after a pause. */
  start(): void
  /** Sends everything the page has left, in a request that outlives it. */
  hide(): void
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
  const credentials = idCookie === true ? 'same-origin' : idCookie || 'omit'
  const keyPrefix = `queue.${writeKey}.`
  const storage: KeyValue = {
    get: key => deps.storage.get(keyPrefix + key),
    set: (key, value) => deps.storage.set(keyPrefix + key, value),
  }
  const whenLoaded: Delivery['whenLoaded'] = load => untilLoaded(load, log, listeners.signal)
  const tables = createResilientTables(
    onClosed => openIndexedTables(name, onClosed),
    () => store.known(),
    () => whenLoaded(() => load('memoryTables')),
    log,
    settings.cookieless,
  )
  const store: EventStore = createEventStore(tables.transact)
  const outbox = createOutbox(deps, store, storage, messages => delivery.sender?.onWritten(messages))
  let loading: Promise<Sender> | undefined
  let begun = false
  let keepaliveBudget = EXIT_BYTES

  const sending: Delivery['sending'] = after => {
    loading ??= whenLoaded(async () => {
      await after
      return load('sending')
    }).then(create => {
      delivery.sender = create(delivery)
      return delivery.sender
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
      credentials,
    }).then(response => response.text(), log)
  }
  const close = () => {
    begun = false
    delivery.sender?.stop()
    tables.close()
  }
  const delivery: Delivery = {
    ...deps,
    name,
    keyPrefix,
    credentials,
    storage,
    outbox,
    store,
    positions: new Map(),
    sending,
    whenLoaded,
    start() {
      begun = true
      outbox.resume()
      afterSlots(settings)
        .then<unknown>(() => begun && sending())
        .then(() => begun && delivery.sender?.start())
        .catch(log)
    },
    hide() {
      const { sender } = delivery
      if (sender) sender.hide()
      else outbox.sendOnExit(() => keepaliveBudget, post)
    },
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
