import type { WebhookDelivery } from '@slotstream/protocol'
import { createTurns, type Log, repeat, retryForever, Stopped, within } from '@slotstream/runtime'
import type { DeclaredWebhooks } from '../declared/watch-webhooks.js'
import type { Pending } from '../queue/pending.js'
import type { LetterStore } from '../store/letter-store.js'
import { LostPosition, type PositionStore } from '../store/position-store.js'
import { storeState } from './checkpoint.js'
import { createIntake, type Intake, type IntakeDeps } from './intake.js'
import { loadPartition } from './load-partition.js'
import type { PartitionState, WebhookState } from './partition-state.js'
import { replay, toldDeliveries } from './requests.js'
import { settleWebhooks } from './settle-webhooks.js'
import type { SignalSource } from './signal-source.js'

/** Time between two times of storing how far a partition is, in milliseconds. */
const STORE_MS = 1_000

/** Time that requests under way may take when a partition is given up, in milliseconds: then they are aborted. */
const RELEASE_MS = 2_000

export interface PartitionDeps extends Omit<IntakeDeps, 'state' | 'abort'> {
  index: number
  source: SignalSource
  positions: PositionStore
  letters: LetterStore
  declared: Pick<DeclaredWebhooks, 'all' | 'of'>
  /** Attempts to deliver a signal that was taken; resolves in any case. */
  attempt: (each: WebhookState, pending: Pending) => Promise<void>
  /**
   * Returns whether there is no webhook to deliver to, and nothing left of an earlier time: then no messages are read.
   */
  isIdle: () => boolean
  /** Called when requests can be answered, and when another process has the partition. */
  onLoaded: () => void
  onLost: () => void
  log: Log
}

/** A partition of signals whose deliveries this process makes. */
export interface Partition {
  /** Returns its webhooks; none before it is loaded, and none when it is given up. */
  webhooks(): Iterable<WebhookState>
  /** Attempts to deliver a signal that was taken. */
  attempt(each: WebhookState, pending: Pending): Promise<void>
  /** Takes note of webhooks that were declared or deleted. */
  update(): void
  /** Returns the latest deliveries of a webhook; undefined: there is no such webhook. */
  deliveries(webhookId: string): Promise<WebhookDelivery[] | undefined>
  /** Delivers dead letters again, or one signal. Resolves when that is stored; undefined: there is no such webhook. */
  replay(webhookId: string, signalId?: string): Promise<{ replayed: number; left: number } | undefined>
  /** Lets requests under way end, and stores how far it is. */
  release(): Promise<void>
  /** Ends at once. */
  drop(): void
}

/** Creates a partition, which loads itself and begins. */
export function createPartition(deps: PartitionDeps): Partition {
  const { index, source, positions, letters, declared, log } = deps
  const abort = new AbortController()
  const { signal } = abort
  const underWay = new Set<Promise<void>>()
  let state: PartitionState | undefined
  let intake: Intake | undefined
  let wakeUp = () => {}
  /** Work on the stored state, one thing after the other. */
  const inTurn = createTurns(1)
  const warned = (what: string) => (error: unknown, tries: number) => {
    if (tries % 20 === 0) log.warn({ err: error, partition: index }, `${what} could not be read, trying again`)
  }
  const begun = begin().catch(error => {
    if (!(error instanceof Stopped)) log.error({ err: error, partition: index }, 'deliveries could not begin')
  })

  async function begin(): Promise<void> {
    await untilNeeded()
    const load = () => loadPartition({ index, source, positions, letters, declared: declared.all() })
    const loaded = await retryForever(load, signal, warned('positions'))
    if (signal.aborted) return
    state = loaded
    intake = createIntake({ ...deps, state, abort: signal })
    update()
    deps.onLoaded()
    await repeat(store, STORE_MS, signal, error => {
      if (error instanceof LostPosition) deps.onLost()
      else log.warn({ err: error, partition: index }, 'the positions of webhooks could not be stored, trying again')
    })
  }

  const store = () => inTurn(async () => state && storeState(state, positions))

  async function untilNeeded(): Promise<void> {
    if (deps.isIdle()) deps.onLoaded()
    while (deps.isIdle() && !signal.aborted)
      await new Promise<void>(resolve => {
        wakeUp = resolve
      })
  }

  function update(): void {
    wakeUp()
    if (!state || signal.aborted) return
    const loadedState = state
    const settle = () => retryForever(() => settleWebhooks(loadedState, deps), signal, warned('webhooks'))
    void inTurn(settle)
      .then(() => intake?.update())
      .catch(() => {})
  }

  function drop(): void {
    abort.abort()
    wakeUp()
    for (const { ending } of state?.webhooks.values() ?? []) ending.abort()
    void intake?.stop().catch(() => {})
  }

  return {
    webhooks: () => (state && !signal.aborted ? state.webhooks.values() : []),
    attempt(each, pending) {
      const attempting = deps.attempt(each, pending).finally(() => underWay.delete(attempting))
      underWay.add(attempting)
      return attempting
    },
    update,
    async deliveries(webhookId) {
      const each = state?.webhooks.get(webhookId)
      return each && toldDeliveries(each, letters)
    },
    async replay(webhookId, signalId) {
      const each = state?.webhooks.get(webhookId)
      if (!each) return undefined
      const replayed = await replay(each, { ...deps, letters }, signalId)
      if (replayed.replayed > 0) await store()
      deps.wake()
      return replayed
    },
    async release() {
      abort.abort()
      wakeUp()
      await intake?.stop()
      await within(RELEASE_MS, Promise.all(underWay))
      for (const { ending } of state?.webhooks.values() ?? []) ending.abort()
      await Promise.all(underWay)
      await begun
      await store()
    },
    drop,
  }
}
