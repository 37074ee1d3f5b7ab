// @ts-check
// What the panel knows, folded from what the SDK reports. No DOM, no storage.
import { withMessage } from './interests.js'

/** @typedef {'captured' | 'sent' | 'retrying' | 'acknowledged' | 'rejected'} State */
/**
 * @typedef {{ messageId: string, name: string, about: string, state: State, batchId?: string, note?: string }} Entry
 */
/**
 * @typedef {{ policy: string, policyVersion: string, propensities: number[], affinities: Record<string, number>,
 *   explored: boolean, excluded: { contentId: string, reason: string, detail?: string }[],
 *   candidates?: { contentId: string, probability: number }[], campaigns?: string[], learnedViews?: number }} Reason
 */
/**
 * @typedef {{ slotId: string, outcome: string, items: { contentId: string }[], reason?: Reason, cachedAt?: number,
 *   preview?: boolean }} Decision
 */
/** @typedef {{ entries: Entry[], decisions: Decision[], affinities: Record<string, number> }} Journal */
/** @typedef {{ messageId: string, [key: string]: unknown }} Message */
/** @typedef {{ batchId: string, messageIds: string[] }} Sent */
/** @typedef {{ batchId: string, rejected: { messageId: string, reason: string }[] }} Acknowledged */
/** @typedef {{ batchId: string, attempt: number, delayMs: number, reason: string }} Retry */

/** Messages remembered; older ones leave. */
const KEPT = 40

/** @returns {Journal} */
export const emptyJournal = () => ({ entries: [], decisions: [], affinities: {} })

/** @param {Message} message */
function nameOf({ type, event, name }) {
  if (type === 'track') return String(event)
  if (type === 'page') return name ? `Page ${name}` : 'Page'
  return String(type).charAt(0).toUpperCase() + String(type).slice(1)
}

/**
 * The one or two values that tell this message from its siblings.
 * @param {Message} message
 */
function aboutMessage(message) {
  const properties = /** @type {Record<string, unknown>} */ (message.properties ?? message.traits ?? {})
  if (message.type === 'page') return String(properties.path ?? '')
  if (message.type === 'identify') return String(message.userId ?? '')
  const { name, value, contentId, slotId, outcome, category, order_id, activeMs } = properties
  // Of visitors of the holdout, and where no decision came, it is the page's own content that is seen.
  if (slotId) return `${slotId} · ${contentId || outcome || 'the page’s own content'}`
  if (order_id) return String(order_id)
  if (typeof value === 'number') return `${name ?? ''} ${Math.round(value * 1000) / 1000}`.trim()
  if (typeof activeMs === 'number') return `${Math.round(activeMs / 1000)} s active`
  return String(name ?? category ?? '')
}

/**
 * @param {Entry[]} entries
 * @param {string} batchId
 * @param {(entry: Entry) => void} change
 */
function changeBatch(entries, batchId, change) {
  for (const entry of entries) if (entry.batchId === batchId) change(entry)
}

const steps = {
  /** @param {Journal} journal @param {Message} message */
  captured(journal, message) {
    const { entries } = journal
    if (entries.some(entry => entry.messageId === message.messageId)) return
    journal.affinities = withMessage(journal.affinities, message)
    entries.push({
      messageId: message.messageId,
      name: nameOf(message),
      about: aboutMessage(message),
      state: 'captured',
    })
    if (entries.length > KEPT) entries.splice(0, entries.length - KEPT)
  },
  /** @param {Journal} journal @param {Sent} sent */
  sent({ entries }, { batchId, messageIds }) {
    for (const entry of entries) if (messageIds.includes(entry.messageId)) entry.batchId = batchId
    changeBatch(entries, batchId, entry => {
      if (entry.state === 'captured' || entry.state === 'retrying') entry.state = 'sent'
    })
  },
  /** @param {Journal} journal @param {Acknowledged} acknowledged */
  acknowledged({ entries }, { batchId, rejected }) {
    changeBatch(entries, batchId, entry => {
      entry.state = 'acknowledged'
      entry.note = undefined
    })
    for (const { messageId, reason } of rejected) {
      const entry = entries.find(each => each.messageId === messageId)
      if (entry) Object.assign(entry, { state: 'rejected', note: reason })
    }
  },
  /** @param {Journal} journal @param {Retry} retry */
  retry({ entries }, { batchId, attempt, delayMs, reason }) {
    changeBatch(entries, batchId, entry => {
      entry.state = 'retrying'
      entry.note = `try ${attempt + 1} in ${Math.max(1, Math.round(delayMs / 1000))} s: ${reason}`
    })
  },
  /** @param {Journal} journal @param {Decision} decision */
  decision(journal, decision) {
    const { slotId, outcome, items, reason, cachedAt, preview } = decision
    const others = journal.decisions.filter(each => each.slotId !== slotId)
    const contents = items.map(({ contentId }) => ({ contentId }))
    journal.decisions = [...others, { slotId, outcome, items: contents, reason, cachedAt, preview }]
    if (reason) journal.affinities = reason.affinities
  },
}

/**
 * Enters one report of the SDK into the journal.
 * @param {Journal} journal
 * @param {string} kind what follows `slotstream:` in the name of the event; kinds it doesn't know are ignored
 * @param {unknown} detail
 */
export function enter(journal, kind, detail) {
  const step = /** @type {Record<string, (journal: Journal, detail: unknown) => void>} */ (steps)[kind]
  step?.(journal, detail)
}
