import {
  checkSlotsRequest,
  MAX_BATCH_BYTES,
  MAX_BATCH_MESSAGES,
  MAX_MESSAGE_BYTES,
  type PreviewLink,
  type Site,
  type SlotsAnswer,
  type SlotsRequest,
  visitorIdOf,
  withDigits,
} from '@slotstream/protocol'
import { Failure } from '../http/failure.js'
import type { Handler, Receive } from '../http/receive.js'
import { undecided } from '../http/request/privacy-signal.js'
import { sendJson } from '../http/respond.js'
import { sharedBytes } from '../intake/accept/parse-batch.js'
import type { Receipt, StoreBatch, StoredBatch } from '../intake/store-batch.js'
import { checkedUser } from '../keys/checked-user.js'
import type { PreviewTokens } from '../keys/preview-tokens.js'
import type { CollectorMetrics } from '../metrics.js'
import type { Decide } from './decide.js'

export interface SlotsRouteDeps {
  receive: Receive
  store: StoreBatch
  decide: Decide
  metrics: CollectorMetrics
  /** Absent: there are no preview links. */
  previewTokens?: Pick<PreviewTokens, 'read'> | undefined
}

/**
 * `POST /v1/slots`: stores the messages that come along, as `/v1/batch` would, and asks for decisions in which they
 * count. Sealed batches that can't be stored don't stop the decisions: the client still has them.
 */
export function slotsRoute({ receive, store, decide, metrics, previewTokens }: SlotsRouteDeps): Handler {
  return async (request, response) => {
    const { site, key, body, origin } = await receive(request, response)
    const checked = checkSlotsRequest(body)
    if (!checked.ok) throw new Failure('malformed', checked.reason)
    const question = checked.value
    const context = checkedContext(question.context)
    const empty = checkNumber(question)
    const user = checkedUser(question, site, key)
    const preview = previewOf(question, site, previewTokens)
    const visitorId = visitorIdOf(user)
    // A decision is stored for each slot, and a batch without messages is answered. A new visitor takes a place in the
    // flow of them, and waits for none.
    const strangers = origin.admission.pay(question.slots.length + empty, [visitorId])
    if (strangers > 0) origin.admission.pace(strangers)

    const { sealed, plain } = await storeAll(question, origin)
    const stored = [...sealed.filter(isStored), ...(plain ? [plain] : [])]
    const positions = stored.flatMap(({ positions }) => positions.get(visitorId) ?? [])

    if (origin.signal) {
      const decisions = undecided(question)
      metrics.undecidedSlots.inc({ signal: origin.signal }, decisions.length)
      const answer: SlotsAnswer = { decisions }
      if (question.batches) answer.batches = sealed.map(result => (isStored(result) ? result.answer : result))
      return sendJson(response, 200, answer)
    }
    const shownTo = preview?.as ?? user
    const { decisions, cost } = await decide({
      siteId: site.siteId,
      visitorId: visitorIdOf(shownTo),
      anonymousId: shownTo.anonymousId || '',
      ...(shownTo.userId ? { userId: shownTo.userId } : {}),
      slots: question.slots,
      ...(context ? { context } : {}),
      // Positions are those of the page's own visitor.
      after: preview?.as ? 0 : Math.max(question.after ?? 0, ...positions),
      explain: site.debug && question.explain === true,
      ...(key === 'secret' && { tellsPerson: true }),
      ...(preview && { preview: { ...(preview.show && { show: preview.show }) } }),
    })
    // With a debt, if need be: what it costs is known afterwards.
    origin.admission.pay(cost, [])
    if (!preview) for (const { outcome } of decisions) metrics.decisions.inc({ outcome })
    const answer: SlotsAnswer = { decisions }
    if (question.batches) answer.batches = sealed.map(result => (isStored(result) ? result.answer : result))
    if (positions.length > 0) answer.position = Math.max(...positions)
    sendJson(response, 200, answer)
  }

  /** Begins with all at once, the older ones first: that is their order in the stream. */
  async function storeAll(question: SlotsRequest, origin: Receipt) {
    const { batch, batches = [], sentAt } = question
    const storing = batches.map(entry => store(entry, origin).catch(error => notStored(error, origin)))
    const plain = batch && batch.length > 0 ? store({ batch, sentAt }, origin) : undefined
    const [sealed, first] = await Promise.all([Promise.all(storing), plain])
    return { sealed, plain: first }
  }
}

/**
 * Returns what the token of a preview link shows; undefined for a request without one.
 *
 * @throws Failure `preview_ended` for a token that is not valid, or no longer: what it was to show must not be taken
 * for what the visitor gets
 */
function previewOf(
  { preview }: SlotsRequest,
  { siteId }: Pick<Site, 'siteId'>,
  tokens: Pick<PreviewTokens, 'read'> | undefined,
): PreviewLink | undefined {
  if (!preview) return undefined
  const link = tokens?.read(preview)
  if (link?.siteId === siteId) return link
  throw new Failure(
    'preview_ended',
    'the preview link has expired, or is not one of this site: make another, or close the tab to end the preview',
  )
}

/**
 * Checks the context. It goes on to the owner of the partition, so it is held to what a message is held to. Digits
 * that a number can't hold go on as text.
 */
function checkedContext(context: SlotsRequest['context']): SlotsRequest['context'] {
  let text: string
  try {
    text = JSON.stringify(context ?? {})
  } catch {
    throw new Failure('malformed', 'context is nested too deeply')
  }
  if (Buffer.byteLength(text) > MAX_MESSAGE_BYTES)
    throw new Failure('too_large', `context is larger than ${MAX_MESSAGE_BYTES / 1024} KB`)
  return context && JSON.parse(withDigits(text, JSON.stringify))
}

/**
 * All batches of a request together may hold what one may; one without messages counts as one. Returns how many those
 * are: nothing else pays for them.
 */
function checkNumber({ batch = [], batches = [] }: SlotsRequest): number {
  const counts = batches.map(entry => (Array.isArray(entry.batch) ? Math.max(1, entry.batch.length) : 1))
  const messages = counts.reduce((sum, count) => sum + count, batch.length)
  const shared = batches.reduce((sum, entry, index) => sum + sharedBytes(entry, counts[index]!), 0)
  if (messages > MAX_BATCH_MESSAGES || shared > MAX_BATCH_BYTES)
    throw new Failure(
      'too_large',
      `the batches have more than ${MAX_BATCH_MESSAGES} messages, or ${MAX_BATCH_BYTES / 1024} KB with the batches' context in each: send some of them before`,
    )
  return batches.filter(entry => !Array.isArray(entry.batch) || entry.batch.length === 0).length
}

interface NotStored {
  success: false
  error: { code: string; message: string }
}

/** The first batches that are not stored are told why, as far as the budget of rejected messages goes. */
function notStored(error: unknown, { rejections }: Pick<Receipt, 'rejections'>): NotStored {
  if (!(error instanceof Failure)) throw error
  const { code, message } = error
  return { success: false, error: { code, message: rejections.takes(false, message.length) ? message : '' } }
}

function isStored(result: StoredBatch | NotStored): result is StoredBatch {
  return 'answer' in result
}
