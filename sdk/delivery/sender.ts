import { bytesOf } from '../platform/bytes.js'
import type { Emit } from '../platform/emit.js'
import type { Log } from '../platform/guard.js'
import type { KeyValue } from '../platform/storage.js'
import { backoff, isUnreachable } from './backoff.js'
import { bodyOf, ENVELOPE_BYTES } from './body.js'
import type { EventStore } from './event-store.js'
import { messageIds } from './message-ids.js'
import { LONGEST_WAIT_MS, type Outcome, outcomeOf, parse } from './outcome.js'
import type { Held, Queue } from './queue.js'
import type { SealedBatch } from './tables.js'
import type { Transport } from './transport.js'
import type { TakeTurn } from './turns.js'

/** Gets what is stored to the collector. */
export interface Sender {
  /** Tells that messages were written; they are sent when there are enough of them or after a while. */
  nudge(messages: number): void
  /** Tries everything that waits now. Resolves when it was tried. */
  flush(): Promise<void>
  /** Sends what the page still holds, in a request that outlives it. */
  hide(): void
  /**
   * Makes a batch of the oldest that waits; undefined when nothing does.
   *
   * @param before id of a batch that waits: only what is older
   */
  seal(before?: string): Promise<SealedBatch | undefined>
  /** Seals what this page knows without waiting for the store, which hears of it; the first batch fits `room` bytes if it can. */
  hold(room: number): void
  /** Batches this page sealed that aren't settled. */
  openBatches(): SealedBatch[]
  /** Takes note of what became of a batch. */
  settle(batch: SealedBatch, outcome: Outcome): Promise<void>
  /** Takes note of how far a visitor's messages got in the stream. */
  reached(visitor: string, position: number | undefined): void
  /** Highest position a visitor's messages got. */
  position(visitor: string): number | undefined
  /** Begins, with what earlier pages left. Until then nothing is sent or stored. */
  start(): void
  /** The network seems to be back: tries at once, unless the collector asked to wait. */
  online(): void
  stop(): void
}

interface Parts {
  queue: Queue
  store: EventStore
  transport: Transport
  takeTurn: TakeTurn
  storage: KeyValue
  emit: Emit
  log: Log
  now: () => number
  random: () => number
  paused: () => boolean
  newId: () => string
  settings: { flushAt: number; flushInterval: number; maxBatchBytes: number; maxQueueAge: number }
}

export function createSender(parts: Parts): Sender {
  const { queue, store, transport, storage, emit, log, now, newId, settings, paused } = parts
  /** Batches this page sealed that aren't settled. */
  const open = new Map<string, SealedBatch>()
  /** Attempts under way, so that nothing is sent twice at a time. */
  const attempts = new Map<string, Promise<Outcome>>()
  /** By visitor: different visitors' positions lie in different partitions. */
  const positions = new Map<string, number>()
  let unsent = 0
  let failures = 0
  let retryAt = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let dueAt = Infinity
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  let stopped = false

  /** When any tab may send again, in milliseconds since the epoch. */
  const opens = () => {
    const at = Number(storage.get('retryAt')) || 0
    // Nobody waits longer than this: the clock was set back.
    return at > now() + LONGEST_WAIT_MS ? 0 : at
  }
  const earliest = () => Math.max(retryAt, opens())

  const schedule = (delay: number) => {
    const at = Math.max(now() + delay, earliest())
    if (stopped || paused() || at >= dueAt) return
    clearTimeout(timer)
    dueAt = at
    timer = setTimeout(() => {
      dueAt = Infinity
      // An attempt may have failed since.
      if (now() < earliest()) schedule(0)
      else void flush()
    }, at - now())
  }

  const reached = (visitor: string, position: number | undefined) => {
    if (position === undefined) return
    positions.set(visitor, Math.max(positions.get(visitor) ?? 0, position))
  }

  const settle = async (batch: SealedBatch, outcome: Outcome) => {
    const { batchId, texts } = batch
    if (outcome.kind === 'retry') return
    open.delete(batchId)
    if (outcome.kind === 'acknowledged') {
      const { accepted, rejected, violations, position } = outcome.answer
      reached(batch.visitor, position)
      emit('acknowledged', { batchId, accepted, rejected, violations })
      return store.settle(batchId, outcome.dropped)
    }
    if (outcome.reason === 'http_413' && (await store.split(batchId))) return
    emit('dropped', { reason: outcome.reason, messageIds: messageIds(texts) })
    return store.settle(batchId, { [outcome.reason]: texts.length })
  }

  /** One attempt; the first outlives the page, should it end meanwhile. */
  const attempt = (batch: SealedBatch, keepalive: boolean, compress = false): Promise<Outcome> => {
    const { batchId, texts } = batch
    const underWay = attempts.get(batchId)
    if (underWay) return underWay
    const body = bodyOf(batch, now(), store.known()?.ledger)
    const done = transport
      .post('/v1/batch', body, { keepalive, compress })
      .then(async reply => {
        const outcome = outcomeOf(reply, now())
        await settle(batch, outcome)
        return outcome
      })
      .finally(() => attempts.delete(batchId))
    attempts.set(batchId, done)
    emit('sent', { batchId, messageIds: messageIds(texts), bytes: bytesOf(body) })
    return done
  }

  const left = () => (parse(storage.get('held') ?? '[]') ?? []) as Held[]
  const keep = (all: Held[]) =>
    Promise.all(all.map(({ batch, keys }) => store.hold(batch, keys))).then(() => storage.remove('held'), log)
  const seal = async (before?: string) => {
    const sealed = await store.seal(newId(), settings.maxBatchBytes - ENVELOPE_BYTES, before)
    // Only what this page captured may have to leave with it; the rest can wait for the next one.
    if (sealed && queue.sealed(sealed.keys)) open.set(sealed.batch.batchId, sealed.batch)
    return sealed?.batch
  }

  const drain = async () => {
    const mark = queue.mark()
    unsent = 0
    await store.expire(now() - settings.maxQueueAge)
    // A probe after a long silence is one request, not one of each page.
    while (!stopped && now() >= opens()) {
      const [oldest] = await store.batches(1)
      const batch = (await seal(oldest?.batchId)) ?? oldest
      if (!batch) return queue.forget(mark)
      // A keepalive request that failed may have been over the browser's quota, which other scripts share.
      const outcome = await attempt(batch, failures === 0, true)
      if (outcome.kind === 'retry') return failed(batch.batchId, outcome.reason, outcome.wait)
      failures = retryAt = 0
      if (opens() || storage.get('failures')) for (const key of ['retryAt', 'failures']) storage.remove(key)
    }
  }

  const failed = (batchId: string, reason: string, wait: number) => {
    failures++
    const unreachable = reason === 'network' && isUnreachable(failures)
    const delayMs = backoff(failures, wait, parts.random(), unreachable)
    retryAt = now() + delayMs
    // What the server asked for binds every tab and the next page, too.
    if (wait) storage.set('retryAt', String(now() + wait))
    else if (unreachable) {
      storage.set('retryAt', String(retryAt))
      storage.set('failures', String(failures))
    }
    emit('retry', { batchId, attempt: failures, delayMs, reason })
    schedule(0)
  }

  const run = async () => {
    await running
    next = undefined
    if (paused()) return
    running = (async () => {
      let done = false
      try {
        await queue.written()
        done = await parts.takeTurn(drain)
      } catch (error) {
        log(error)
      }
      // Another tab has the turn, and may end without having sent everything.
      if (!done || unsent) schedule(settings.flushInterval)
    })()
    return running
  }

  /** A run under way may have missed the latest message: whoever asks meanwhile shares the next. */
  const flush = () => {
    next ??= run()
    return next
  }

  const hold = (room: number) => {
    const all = queue.hold(room - ENVELOPE_BYTES)
    if (!all.length) return
    for (const { batch } of all) open.set(batch.batchId, batch)
    // The page may not live to see the transaction through; what is in localStorage stays.
    storage.set('held', JSON.stringify([...left(), ...all]))
    keep(all)
    schedule(settings.flushInterval)
  }

  return {
    flush,
    settle,
    reached,
    nudge(messages) {
      unsent += messages
      schedule(unsent >= settings.flushAt ? 0 : settings.flushInterval)
    },
    hide() {
      hold(Math.min(transport.room(), settings.maxBatchBytes))
      for (const batch of open.values())
        if (now() >= opens() && batch.bytes + ENVELOPE_BYTES <= transport.room()) attempt(batch, true).catch(log)
    },
    seal,
    hold,
    openBatches: () => [...open.values()],
    position: visitor => positions.get(visitor),
    start() {
      failures = Number(storage.get('failures')) || 0
      keep(left())
      // The page before may have left something.
      schedule(settings.flushInterval)
    },
    online() {
      if (storage.get('failures')) storage.remove('retryAt')
      retryAt = 0
      void flush()
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
