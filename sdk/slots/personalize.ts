import type { SlotsAnswer } from '@slotstream/protocol'
import { bodyOf } from '../delivery/body.js'
import { messageIds } from '../delivery/message-ids.js'
import { acknowledgement, parse } from '../delivery/outcome.js'
import type { Queue } from '../delivery/queue.js'
import type { Sender } from '../delivery/sender.js'
import type { Transport } from '../delivery/transport.js'
import type { Emit } from '../platform/emit.js'
import type { Log } from '../platform/guard.js'
import type { PersonalizeOptions, SlotDecision } from '../types.js'
import { noDecision } from './no-decision.js'

/** Most bytes of messages that a request for slots carries. With more than that waiting, they are sent first. */
const CARRIED_BYTES = 100_000

/**
 * How long a request for slots waits for the store, in milliseconds; then it carries what is in memory. In a new
 * browser the first write alone can take longer than a slot's deadline.
 */
const STORE_PATIENCE_MS = 50

/** Slots of one request, as the collector allows (`MAX_SLOTS`). */
const MAX_SLOTS = 20

interface Parts {
  queue: Pick<Queue, 'written'>
  sender: Pick<Sender, 'flush' | 'held' | 'unacknowledged' | 'settle' | 'position' | 'reached'>
  transport: Pick<Transport, 'post'>
  settings: { slotTimeout: number; debug: boolean }
  emit: Emit
  log: Log
  now: () => number
  visitor: () => { anonymousId: string; userId: string | undefined; context: object }
}

interface Wanted {
  id: string
  count: number | undefined
  resolve: (decision: SlotDecision) => void
}

/**
 * Asks for content. Slots asked for in one task share a request, which carries every message that isn't acknowledged:
 * what the page tracked before counts in the answer.
 */
export function createPersonalize(parts: Parts) {
  const { queue, sender, transport, settings, emit, log, now } = parts
  const waiting: Wanted[] = []

  const stored = async (isWanted: () => boolean) => {
    await queue.written()
    return sender.unacknowledged(CARRIED_BYTES, isWanted)
  }
  const carried = async () => {
    let late = false
    const patience = new Promise<'late'>(resolve =>
      setTimeout(() => {
        late = true
        resolve('late')
      }, STORE_PATIENCE_MS),
    )
    const waiting = stored(() => !late)
    const first = await Promise.race([waiting, patience])
    const batches = first === 'late' ? (sender.held() ?? (await waiting)) : first
    if (batches) return batches
    await sender.flush()
    return sender.unacknowledged(CARRIED_BYTES, () => true)
  }

  const ask = async (wanted: Wanted[]): Promise<SlotDecision[]> => {
    const batches = await carried()
    if (!batches) return []
    const { anonymousId, userId, context } = parts.visitor()
    const head = JSON.stringify({
      anonymousId,
      userId,
      slots: wanted.map(({ id, count }) => ({ id, count })),
      context,
      after: sender.position(anonymousId),
      sentAt: new Date(now()).toISOString(),
      explain: settings.debug || undefined,
    })
    const body = `${head.slice(0, -1)},"batches":[${batches.map(batch => bodyOf(batch, now(), undefined)).join()}]}`
    for (const { batchId, texts, bytes } of batches) emit('sent', { batchId, messageIds: messageIds(texts), bytes })
    const reply = await transport.post('/v1/slots', body, { keepalive: false })
    const answer = reply?.status === 200 ? (parse(reply.text) as SlotsAnswer | undefined) : undefined
    if (!Array.isArray(answer?.decisions)) return []
    sender.reached(anonymousId, answer.position)
    // What isn't acknowledged here is the sender's to send again.
    for (const [index, batch] of batches.entries()) void sender.settle(batch, acknowledgement(answer.batches?.[index]))
    return answer.decisions as unknown as SlotDecision[]
  }

  const send = async (wanted: Wanted[]) => {
    const decisions = await ask(wanted).catch(error => {
      log(error)
      return []
    })
    for (const [index, { id, resolve }] of wanted.entries()) {
      const decision = decisions[index]
      resolve(decision?.slotId === id && Array.isArray(decision.items) ? decision : noDecision(id, 'unavailable'))
    }
  }

  const sendAll = () => {
    while (waiting.length) void send(waiting.splice(0, MAX_SLOTS))
  }

  /** Never rejects; resolves by its deadline, whatever happens. */
  return (slotId: string, options: PersonalizeOptions = {}): Promise<SlotDecision> =>
    new Promise<SlotDecision>(resolve => {
      setTimeout(() => resolve(noDecision(slotId, 'timeout')), options.timeout ?? settings.slotTimeout)
      waiting.push({ id: slotId, count: options.count, resolve })
      if (waiting.length === 1) queueMicrotask(sendAll)
    }).then(decision => {
      emit('decision', decision)
      return decision
    })
}
