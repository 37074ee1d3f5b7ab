import type { Emit } from '../../platform/emit.js'
import type { Log } from '../../platform/guard.js'
import type { KeyValue } from '../../platform/storage.js'
import { ENVELOPE_BYTES } from '../body.js'
import type { EventStore } from '../database/event-store.js'
import type { SealedBatch } from '../database/tables.js'
import { messageIds } from '../message-ids.js'
import type { Outbox } from '../outbox.js'
import { backoff, isUnreachable } from './backoff.js'
import type { Limits } from './limits.js'
import { acknowledgement, type Outcome, outcomeOf } from './outcome.js'
import { type Positions, reached } from './positions.js'
import type { SealedBatches } from './sealed-batches.js'
import type { Transport } from './transport.js'
import type { TakeTurn } from './turns.js'

/** Gets what is stored to the collector. */
export interface Sender {
  /** To be called when messages were written; they are sent when there are enough of them or after a while. */
  onWritten(messages: number): void
  /** Tries everything that waits now. Resolves when it was tried. */
  flush(): Promise<void>
  /** Sends everything the page has left, in a request that outlives it. */
  hide(): void
  /**
   * Makes a batch of the oldest that waits; undefined when nothing does.
   *
   * @param before id of a batch that waits: only older messages
   */
  seal(before?: string): Promise<SealedBatch | undefined>
  /** Returns everything that is sealed, oldest first. */
  batches(): Promise<SealedBatch[]>
  /** Takes note of the collector's answer to a batch that went along with another request. */
  acknowledge(batch: SealedBatch, answer: unknown): Promise<void>
  /** Begins, with messages that earlier pages left. Until then nothing is sent or stored. */
  start(): void
  /** Tries at once, as the network seems to be back, unless the collector asked to wait. */
  online(): void
  stop(): void
}

interface SenderDeps {
  outbox: Outbox
  positions: Positions
  store: Pick<EventStore, 'known'> & SealedBatches
  /** Loads what keeps the queue within its limits. Rejects when it can't be loaded. */
  loadLimits: () => Promise<Limits>
  transport: Transport
  takeTurn: TakeTurn
  storage: KeyValue
  emit: Emit
  log: Log
  now: () => number
  random: () => number
  paused: () => boolean
  newId: () => string
  settings: {
    flushAt?: number
    flushInterval?: number
    maxBatchBytes: number
    maxQueueAge: number
    maxQueueMessages: number
  }
}

/** Creates the sender of a page. Longer than 70 lines: its functions share the state of pauses and attempts. */
export function createSender(deps: SenderDeps): Sender {
  const { outbox, positions, store, transport, storage, emit, log, now, newId, settings, paused, loadLimits } = deps
  const { flushAt = 20, flushInterval = 1_000 } = settings
  const { openAt } = outbox
  /** Attempts under way, so that nothing is sent twice at a time. */
  const attempts = new Map<string, Promise<Outcome>>()
  let unsent = 0
  let failures = 0
  let retryAt = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let dueAt = Infinity
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  let stopped = false

  const earliest = () => Math.max(retryAt, openAt())

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

  const settle = async (batch: SealedBatch, outcome: Outcome) => {
    const { batchId, texts } = batch
    if (outcome.kind === 'retry') return
    if (outcome.kind === 'acknowledged') {
      outbox.settled(batchId)
      const { accepted, rejected, violations, position } = outcome.answer
      reached(positions, batch.visitor, position)
      emit('acknowledged', { batchId, accepted, rejected, violations })
      return store.settle(batchId, outcome.dropped)
    }
    const { reason } = outcome
    if (reason === 'http_413' && (await (await loadLimits()).split(batchId))) return outbox.settled(batchId)
    outbox.settled(batchId)
    emit('dropped', { reason, messageIds: messageIds(texts) })
    return store.settle(batchId, { [reason]: texts.length })
  }

  /** Makes one attempt; the first outlives the page, should it end meanwhile. */
  const attempt = (batch: SealedBatch, keepalive: boolean, compress = false): Promise<Outcome> => {
    const { batchId } = batch
    const underWay = attempts.get(batchId)
    if (underWay) return underWay
    const done = transport
      .post('/v1/batch', outbox.bodyFor(batch), { keepalive, compress })
      .then(async (reply): Promise<Outcome> => {
        const outcome = outcomeOf(reply, now())
        try {
          await settle(batch, outcome)
          return outcome
        } catch (error) {
          // What splits it can't be loaded: the batch waits for that.
          log(error)
          return { kind: 'retry', reason: 'not_settled', wait: 0 }
        }
      })
      .finally(() => attempts.delete(batchId))
    attempts.set(batchId, done)
    return done
  }

  const seal = (before?: string) =>
    store.seal(newId(), settings.maxBatchBytes - ENVELOPE_BYTES, before, outbox.taking())

  /** Drops what is beyond the limits. Where what does that can't be loaded, the queue is longer until it can. */
  const trim = () =>
    loadLimits()
      .then(limits => limits.trim(oldestKept(), settings.maxQueueMessages))
      .catch(log)
  const oldestKept = () => now() - settings.maxQueueAge
  const isFull = () => (store.known()?.waiting ?? 0) > settings.maxQueueMessages
  const drain = async () => {
    // Messages captured before are written before anything below reads the store.
    const mark = newId()
    unsent = 0
    let isTrimmed = false
    // A probe after a long silence is one request, not one of each page.
    while (!stopped && now() >= openAt()) {
      const [oldest] = await store.batches(1)
      const batch = (await seal(oldest?.batchId)) ?? oldest
      if (!batch) return void outbox.taking()(undefined, mark)
      if (!isTrimmed && (isFull() || batch.at < oldestKept())) {
        isTrimmed = true
        await trim()
        continue
      }
      // A keepalive request that failed may have been over the browser's quota, which other scripts share.
      const outcome = await attempt(batch, failures === 0, true)
      if (outcome.kind === 'retry') return failed(batch.batchId, outcome.reason, outcome.wait)
      failures = retryAt = 0
      if (openAt() || storage.get('failures')) for (const key of ['retryAt', 'failures']) storage.set(key)
    }
  }

  const failed = (batchId: string, reason: string, wait: number) => {
    failures++
    const unreachable = reason === 'network' && isUnreachable(failures)
    const delayMs = backoff(failures, wait, deps.random(), unreachable)
    retryAt = now() + delayMs
    // The wait that the server asked for is in effect for every tab and the next page, too.
    if (wait) storage.set('retryAt', `${now() + wait}`)
    else if (unreachable) {
      storage.set('retryAt', `${retryAt}`)
      storage.set('failures', `${failures}`)
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
        await outbox.whenWritten()
        done = await deps.takeTurn(drain)
      } catch (error) {
        log(error)
      }
      // Another tab has the turn, and may end without having sent everything.
      if (!done || unsent) schedule(flushInterval)
    })()
    return running
  }

  /** A run under way may have missed the latest message: calls made meanwhile share the next. */
  const flush = () => {
    next ??= run()
    return next
  }

  return {
    flush,
    acknowledge: (batch, answer) => settle(batch, acknowledgement(answer)),
    onWritten(messages) {
      unsent += messages
      if (isFull()) void trim()
      schedule(unsent >= flushAt ? 0 : flushInterval)
    },
    hide() {
      transport.skipCompression()
      outbox.sendOnExit(transport.keepaliveBudget, batch => void attempt(batch, true).catch(log))
    },
    seal,
    batches: store.batches,
    start() {
      failures = Number(storage.get('failures')) || 0
      // The page before may have left something.
      schedule(flushInterval)
    },
    online() {
      if (storage.get('failures')) storage.set('retryAt')
      retryAt = 0
      void flush()
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
