import { parseSignalEnvelope, parseStored, type SignalEnvelope } from '@slotstream/protocol'
import { type Log, pause, Stopped, type StreamReader } from '@slotstream/runtime'
import type { Pending } from '../queue/pending.js'
import type { PartitionState, WebhookState } from './partition-state.js'
import type { SignalMessage, SignalSource } from './signal-source.js'

/**
 * Time between two checks of a webhook without room whether there is some, and pause after a failure, in milliseconds.
 */
const LOOK_MS = 100
const AGAIN_MS = 500

export interface IntakeDeps {
  state: PartitionState
  source: SignalSource
  /** Names a visitor by a keyed hash. */
  laneOf: (siteId: string, visitorId: string) => string
  /** Signals of a webhook that may be pending in the partition. */
  maxPending: number
  /** Called when there is more to deliver. */
  wake: () => void
  now: () => number
  log: Log
  abort: AbortSignal
}

/** Takes the signals of a partition into the queues of its webhooks. */
export interface Intake {
  /** Begins to read, if there are webhooks and it does not read yet; ends if there are none. */
  update(): void
  /** Stops taking signals. Those that were taken stay. */
  stop(): Promise<void>
}

/**
 * Creates the intake of a partition. One reader reads for all webhooks. A webhook without room holds up no other one:
 * what it has no room for stays in the stream, and it reads that for itself, as room comes, until it has caught up.
 */
export function createIntake(deps: IntakeDeps): Intake {
  const { state, source, log, abort } = deps
  const take = createTake(deps)
  const reading = new Map<WebhookState | 'all', { reader: StreamReader; ended: Promise<void> }>()

  function update(): void {
    if (abort.aborted) return
    const { webhooks } = state
    if (webhooks.size > 0) begin('all', state.through, takeForAll)
    else void end('all')
    for (const each of webhooks.values()) if (!each.isLive) catchUp(each)
  }

  /** Reads what follows a sequence until `take` says that it is done. */
  function begin(who: WebhookState | 'all', after: number, take: (message: SignalMessage) => Promise<boolean>): void {
    if (reading.has(who)) return
    const reader = source.readAfter(after)
    const ended = read(reader, take).then(isDone => {
      if (reading.get(who)?.reader !== reader) return
      reading.delete(who)
      if (!isDone) update()
    })
    reading.set(who, { reader, ended })
  }

  async function read(reader: StreamReader, take: (message: SignalMessage) => Promise<boolean>): Promise<boolean> {
    let isDone = false
    try {
      for await (const message of reader) {
        isDone = await take(message)
        if (isDone || abort.aborted) break
      }
      await reader.stop()
    } catch (error) {
      if (error instanceof Stopped || abort.aborted) return true
      log.warn({ err: error, partition: state.index }, 'reading signals for webhooks failed, trying again')
      await reader.stop().catch(() => {})
      await pause(AGAIN_MS, abort).catch(() => {})
    }
    return isDone || abort.aborted
  }

  async function end(who: WebhookState | 'all'): Promise<void> {
    const { reader, ended } = reading.get(who) ?? {}
    reading.delete(who)
    await reader?.stop()
    await ended
  }

  async function takeForAll(message: SignalMessage): Promise<boolean> {
    const envelope = envelopeOf(message)
    if (envelope)
      for (const each of state.webhooks.values())
        if (each.isLive && each.webhook.siteId === envelope.siteId && !take(each, message.seq, envelope)) {
          each.isLive = false
          each.isChanged = true
          each.takenThrough = message.seq - 1
          catchUp(each)
        }
    state.through = message.seq
    return state.webhooks.size === 0
  }

  function catchUp(each: WebhookState): void {
    begin(each, each.takenThrough, async message => {
      const envelope = envelopeOf(message)
      if (envelope?.siteId === each.webhook.siteId)
        while (!take(each, message.seq, envelope)) {
          await pause(LOOK_MS, abort)
          if (each.ending.signal.aborted) return true
        }
      each.takenThrough = Math.max(each.takenThrough, message.seq)
      each.isChanged = true
      each.isLive = message.seq >= state.through
      return each.isLive || each.ending.signal.aborted
    })
  }

  return {
    update,
    async stop() {
      await Promise.all([...reading.keys()].map(end))
    },
  }
}

/** Creates the function that takes what a webhook wants of a message. False: it has no room for it. */
function createTake({ maxPending, laneOf, wake, now }: IntakeDeps) {
  return (each: WebhookState, seq: number, { siteId, visitorId, signals }: SignalEnvelope): boolean => {
    const { queue, webhook, takenThrough } = each
    if (seq <= takenThrough) return true
    const lane = laneOf(siteId, visitorId)
    const at = now()
    const added = signals.flatMap(({ signalId, signal }, index): Pending[] => {
      if (webhook.signals.length > 0 && !webhook.signals.includes(signal)) return []
      return [{ seq, index, signalId, signal, lane, attempts: 0, due: at, since: at, status: 0, error: '', at }]
    })
    if (added.length === 0) return true
    if (queue.size > 0 && queue.size + added.length > maxPending) return false
    for (const pending of added) queue.add(pending)
    each.takenThrough = seq
    each.isChanged = true
    wake()
    return true
  }
}

/** Returns the signals of a message; undefined: it has none, and is a dead letter of the warehouse's. */
function envelopeOf({ data }: SignalMessage): SignalEnvelope | undefined {
  const parsed = parseStored(data, parseSignalEnvelope)
  return parsed.ok ? parsed.value : undefined
}
