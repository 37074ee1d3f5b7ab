import { MAX_DELIVERIES_TOLD, parseTime, type WebhookDelivery } from '@slotstream/protocol'
import type { Pending } from '../queue/pending.js'
import { envelopeOf, type LetterStore } from '../store/letter-store.js'
import type { Recent, WebhookState } from './partition-state.js'
import { shownDelivery } from './recent.js'

/** Dead letters that are read to be told, of each partition. */
const MAX_LETTERS_TOLD = 10

/**
 * Returns the latest deliveries of a webhook, newest first: those that wait, the latest that ended, and dead letters.
 */
export async function toldDeliveries(
  { webhook, queue, recent, letters }: WebhookState,
  store: Pick<LetterStore, 'read'>,
): Promise<WebhookDelivery[]> {
  const { siteId, webhookId } = webhook
  const deliveries = new Map<string, WebhookDelivery>()
  for (const pending of queue.all()) deliveries.set(pending.signalId, shownDelivery(webhookId, pending, 'pending'))
  for (const { state, ...pending } of recent)
    if (!deliveries.has(pending.signalId)) deliveries.set(pending.signalId, shownDelivery(webhookId, pending, state))
  const others = [...letters].filter(signalId => !deliveries.has(signalId)).slice(-MAX_LETTERS_TOLD)
  for (const signalId of others) {
    const letter = await store.read(siteId, webhookId, signalId)
    if (!letter) continue
    const at = parseTime(letter.failedAt) ?? 0
    deliveries.set(signalId, shownDelivery(webhookId, { ...letter, ...{ lane: '', due: at, since: at, at } }, 'dead'))
  }
  return newestFirst([...deliveries.values()]).slice(0, MAX_DELIVERIES_TOLD)
}

/** Sorts deliveries by their time. */
export function newestFirst(deliveries: WebhookDelivery[]): WebhookDelivery[] {
  return deliveries.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0))
}

/**
 * Puts dead letters into the queue again, as far as there is room, or one signal, whatever became of it.
 *
 * @returns how many there are, and how many letters wait still
 */
export async function replay(
  each: WebhookState,
  deps: {
    letters: Pick<LetterStore, 'read'>
    laneOf: (siteId: string, visitorId: string) => string
    maxPending: number
    now: () => number
  },
  signalId?: string,
): Promise<{ replayed: number; left: number }> {
  const { queue, letters, recent } = each
  const chosen = signalId === undefined ? [...letters] : letters.has(signalId) ? [signalId] : []
  let replayed = 0
  for (const id of chosen) {
    if (queue.has(id)) continue
    if (queue.size >= deps.maxPending && signalId === undefined) break
    const pending = await ofLetter(id)
    if (pending && queue.add(pending)) replayed++
  }
  if (signalId !== undefined && chosen.length === 0) {
    const delivered = recent.find(each => each.signalId === signalId)
    if (queue.hasten(signalId, deps.now())) replayed++
    else if (delivered && queue.add({ ...asInStream(delivered), ...fresh() })) replayed++
  }
  if (replayed > 0) each.isChanged = true
  return { replayed, left: [...letters].filter(id => !queue.has(id)).length }

  async function ofLetter(id: string): Promise<Pending | undefined> {
    const { siteId, webhookId } = each.webhook
    const letter = await deps.letters.read(siteId, webhookId, id)
    const envelope = letter && envelopeOf(letter)
    if (!letter || !envelope) {
      // It was deleted with its person.
      letters.delete(id)
      return undefined
    }
    const { seq, index, signal } = letter
    const lane = deps.laneOf(siteId, envelope.visitorId)
    return { ...{ seq, index, signalId: id, signal, lane, letter: true }, ...fresh() }
  }

  function fresh() {
    const at = deps.now()
    return { attempts: 0, due: at, since: at, status: 0, error: '', at }
  }
}

/** Returns a signal that was delivered as it is in the stream: its letter is gone. */
function asInStream({ state: _state, letter: _letter, ...pending }: Recent): Pending {
  return pending
}
