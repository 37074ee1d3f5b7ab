import type { SlotsAnswer } from '@slotstream/protocol'
import type { SealedBatch } from '../delivery/database/tables.js'
import type { Delivery } from '../delivery/delivery.js'
import type { Outbox } from '../delivery/outbox.js'
import { reached } from '../delivery/send/positions.js'
import type { Sender } from '../delivery/send/sender.js'
import type { Emit } from '../platform/emit.js'
import type { Log } from '../platform/guard.js'
import type { Listeners } from '../platform/listeners.js'
import { nextTask } from '../platform/next-task.js'
import type { Message, PersonalizeOptions, Properties, SlotDecision } from '../types.js'
import { type Carrying, carried } from './carried.js'
import { itemsOf, noDecision } from './no-decision.js'

/** Slots of one request, as the collector allows (`MAX_SLOTS`). */
const MAX_SLOTS = 20

/** Answers that are kept: more than a page has slots. */
const MAX_ANSWERS = 99

/** Events that the package tracks by itself. They say nothing new of the visitor's wishes, so answers stay valid. */
const OWN_EVENTS = /^(Slot |Page E|Web Vital)/

interface PersonalizeDeps extends Carrying, Pick<Delivery, 'positions'> {
  /** Posts a request for slots. Rejects when no answer came. */
  post: (body: string) => Promise<Response>
  sending: (after?: Promise<void>) => Promise<Pick<Sender, 'flush' | 'seal' | 'batches' | 'acknowledge'>>
  outbox: Carrying['outbox'] & Pick<Outbox, 'bodyFor'>
  settings: Carrying['settings'] & { slotTimeout: number; debug?: boolean }
  emit: Emit
  log: Log
  now: () => number
  listeners: Pick<Listeners, 'on'>
  track: (event: string, properties: Properties) => void
  /** Decisions that came with the page, by slot. */
  handedOver: Map<string, SlotDecision>
  visitor: () => {
    anonymousId: string
    userId: string | undefined
    signature?: string | undefined
    context: { pageViewId: string; sessionId: string }
  }
}

interface SlotRequest extends Pick<PersonalizeOptions, 'count' | 'context'> {
  id: string
  /** To be called when the request leaves. */
  leave: () => void
  resolve: (decision: SlotDecision) => void
}

/**
 * Asks for content. Slots asked for in one task share a request, which carries every message that isn't acknowledged:
 * what the page tracked before counts in the answer. An answer is kept for the page view, until something is tracked
 * that could change it. Longer than 70 lines: its functions share the answers and the slots that wait.
 */
export function createPersonalize(deps: PersonalizeDeps) {
  const { settings, emit, log, now, handedOver, positions } = deps
  const waiting: SlotRequest[] = []
  const answers = new Map<string, Promise<SlotDecision>>()

  deps.listeners.on(window, 'slotstream:captured', event => {
    if (!OWN_EVENTS.test((event as CustomEvent<Message>).detail.event ?? '')) answers.clear()
  })
  deps.listeners.on(window, 'slotstream:refresh', () => answers.clear())

  /** Posts a request. Undefined: no answer that is understood. */
  const answerTo = async (body: string): Promise<Partial<SlotsAnswer> | undefined> => {
    try {
      const response = await deps.post(body)
      return response.status === 200 ? await response.json() : undefined
    } catch {
      return undefined
    }
  }

  /** Tells the sender, which may have to load for it, and sends again what isn't acknowledged. */
  const acknowledge = async (batches: SealedBatch[], answer: Partial<SlotsAnswer>) => {
    // The page shows what was decided first: to begin a download takes it milliseconds.
    const sender = await deps.sending(nextTask())
    for (const [index, batch] of batches.entries()) await sender.acknowledge(batch, answer.batches?.[index])
  }

  const ask = async (requests: SlotRequest[]): Promise<SlotDecision[]> => {
    const batches = await carried(deps)
    if (!batches) return []
    const { context, ...ids } = deps.visitor()
    const head = JSON.stringify({
      ...ids,
      // Fields that the server itself reads take precedence over those of the page.
      context: { ...requests[0]?.context, ...context },
      after: positions.get(ids.anonymousId),
      sentAt: new Date(now()).toISOString(),
      explain: settings.debug || undefined,
    })
    // One by one: Prototype.js before 1.7 makes texts of lists.
    const slots = requests.map(({ id, count }) => JSON.stringify({ id, count })).join()
    const body = `${head.slice(0, -1)},"slots":[${slots}],"batches":[${batches.map(deps.outbox.bodyFor).join()}]}`
    for (const { leave } of requests) leave()
    const answer = await answerTo(body)
    if (!Array.isArray(answer?.decisions)) return []
    reached(positions, ids.anonymousId, answer.position)
    acknowledge(batches, answer).catch(log)
    return answer.decisions as unknown as SlotDecision[]
  }

  const send = async (requests: SlotRequest[]) => {
    const decisions = await ask(requests).catch(error => {
      log(error)
      return []
    })
    for (const [index, { id, resolve }] of requests.entries()) {
      const decision = decisions[index]
      resolve(decision?.slotId === id && Array.isArray(decision.items) ? decision : noDecision(id, 'unavailable'))
    }
  }

  /** Sends one request for all that say the same of where they are. */
  const sendAll = () => {
    const groups = new Map<string, SlotRequest[]>()
    for (const request of waiting.splice(0)) {
      const key = JSON.stringify(request.context)
      groups.set(key, [...(groups.get(key) ?? []), request])
    }
    for (const group of groups.values()) while (group.length) void send(group.splice(0, MAX_SLOTS))
  }

  const answerOf = (id: string, { count, context }: PersonalizeOptions, leave: () => void): Promise<SlotDecision> => {
    const { anonymousId, context: view } = deps.visitor()
    const key = JSON.stringify([anonymousId, view.pageViewId, id, count, context])
    const earlier = answers.get(key)
    if (earlier) {
      leave()
      return earlier
    }
    const handed = handedOver.get(id)
    handedOver.delete(id)
    const answer = new Promise<SlotDecision>(resolve => {
      if (handed) return resolve(handed)
      if (!waiting.length) queueMicrotask(sendAll)
      waiting.push({ id, count, context, resolve, leave })
    })
    // Without consent to analytics nothing is captured that would end it.
    if (answers.size > MAX_ANSWERS) answers.clear()
    answers.set(key, answer)
    // Nothing was decided: ask again.
    void answer.then(({ outcome }) => outcome === 'unavailable' && answers.delete(key))
    return answer
  }

  /**
   * Never rejects. Resolves by its deadline, whatever happens: the time-out after the request has left, or after the
   * call where it doesn't leave within that.
   *
   * @param left called when the request has left, or the answer is at hand
   */
  return async (slotId: string, options: PersonalizeOptions = {}, left = () => {}): Promise<SlotDecision> => {
    const { timeout = settings.slotTimeout, signal, fallback } = options
    const startedAt = now()
    let timer: ReturnType<typeof setTimeout> | undefined
    let abort: (() => void) | undefined
    const answer = await new Promise<SlotDecision>(resolve => {
      abort = () => resolve(noDecision(slotId, 'aborted'))
      if (signal?.aborted) return abort()
      signal?.addEventListener('abort', abort)
      const wait = () => {
        clearTimeout(timer)
        timer = setTimeout(() => resolve(noDecision(slotId, 'timeout')), timeout)
      }
      wait()
      void answerOf(slotId, options, () => {
        wait()
        left()
      }).then(resolve)
    })
    clearTimeout(timer)
    if (abort) signal?.removeEventListener('abort', abort)
    const { outcome, decisionId } = answer
    // The server records its decisions; that there was none is for the page to say.
    if (!decisionId && outcome !== 'aborted')
      deps.track('Slot Fell Back', { slotId, outcome, waitedMs: Math.max(0, now() - startedAt) })
    // A copy, which the event's listeners may complete.
    const decision = { ...answer, ...(fallback && outcome !== 'served' && { items: itemsOf(fallback) }) }
    emit('decision', decision)
    return decision
  }
}
