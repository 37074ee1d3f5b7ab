import {
  checkMessage,
  idOf,
  isObject,
  isoTime,
  MAX_MESSAGE_BYTES,
  type Message,
  type MessageContext,
  parseTime,
  type RejectedEnvelope,
  type RejectedMessage,
  type Rejection,
  type RejectionCode,
  type Sender,
  type StoredMessage,
  type Violation,
  visitorIdOf,
} from '@slotstream/protocol'
import type { CompiledPlan } from '@slotstream/tracking-plan'
import type { Enricher } from '../enrich/enrich.js'
import { MAX_USER_AGENT } from '../enrich/user-agent.js'
import { jsonText } from '../http/body/json-text.js'
import { Failure } from '../http/failure.js'
import { ALL_PUBLIC, type Senders } from '../keys/senders.js'
import { tagViolation } from '../plan/tag-violation.js'
import type { RejectionBudget } from '../safety/rejection-budget.js'
import { DELETED_REASON, type ForgottenMessage } from './forgotten.js'
import { batchOf } from './given-batch.js'
import { mendMessageId } from './message-id.js'
import { countOne, restOf, sum } from './rejected-counts.js'
import { rejectedPayload } from './rejected-payload.js'
import { type BatchText, type Taken, type TakenEnvelope, textOf } from './taken.js'

/** What is known of a batch besides its text. */
export interface BatchArrival {
  siteId: string
  /** Milliseconds since the epoch. */
  received: number
  /** Size of the request's body: an upper bound of each message's. */
  bytes: number
  /** The batch as it was written, in which it goes on if nothing has to be changed. Default: it is written anew. */
  text?: BatchText | undefined
  userAgent?: string | undefined
  newId: () => string
  /** Decides what each message is sent by. Default: all are public, and nothing needs a secret key. */
  senders?: Senders
  /** What is taken out of and added to the messages. Default: nothing. */
  enricher?: Enricher
  /** What the messages have to look like. Default: anything goes. */
  plan?: CompiledPlan | undefined
  /** What of rejected messages, and of those that break the plan, is told and stored in detail. Default: all. */
  rejections?: RejectionBudget | undefined
  /** What is refused, and kept nowhere, because its person was deleted. Default: nothing. */
  isForgotten?: ForgottenMessage | undefined
}

/** A batch, taken apart: what is to be stored, and what the client is told. */
export interface Intake {
  accepted: number
  rejections: Rejection[]
  /** How many more were rejected than are told in detail, by code; absent where there are none. */
  moreRejected?: Map<RejectionCode, number>
  /** Accepted messages that break the plan. */
  violations: Rejection[]
  /** How many more of them there are than are told in detail, by code; absent where there are none. */
  moreViolations?: Map<RejectionCode, number>
  /** One for each visitor and sender, in the order in which they first occur. */
  envelopes: TakenEnvelope[]
  refused?: RejectedEnvelope
}

interface Visitor {
  visitorId: string
  sender: Sender
  messages: Taken[]
  ids: Set<string>
}

/**
 * Checks the messages of a batch one by one and groups the good ones by visitor and sender, in order. A message id that
 * comes twice for those is kept once and accepted twice. The messages of `body` may be changed.
 *
 * @throws Failure when there is no batch to look into
 */
export function takeBatch(body: unknown, arrival: BatchArrival): Intake {
  const { batch, sentAt, ledger, context, isPlain } = batchOf(body)
  const { received, siteId, plan, text, senders = ALL_PUBLIC } = arrival
  const receivedAt = new Date(received).toISOString()
  const sent = typeof sentAt === 'string' ? parseTime(sentAt) : undefined
  const times = { received, ...(sent === undefined ? {} : { sent }) }
  const common = { siteId, receivedAt, ...(sent === undefined ? {} : { sentAt: isoTime(sent) }) }
  const userAgent = arrival.userAgent?.slice(0, MAX_USER_AGENT)
  const withUserAgent = addingUserAgent(userAgent)

  const rejections: Rejection[] = []
  const violations: Rejection[] = []
  const refused: RejectedMessage[] = []
  const moreRejected = new Map<RejectionCode, number>()
  const moreViolations = new Map<RejectionCode, number>()
  const visitors: Record<Sender, Map<string, Visitor>> = { public: new Map(), unsigned: new Map(), secret: new Map() }
  const all: Visitor[] = []
  const mayBeTooLarge = arrival.bytes > MAX_MESSAGE_BYTES
  let visitor: Visitor | undefined
  let isAnyChanged = false
  for (let index = 0; index < batch.length; index++) {
    const raw = batch[index]
    if (context) shareContext(raw, context)
    const { sender, changed: isStamped } = senders.stamp(raw)
    const cleansed = arrival.enricher?.cleanse(raw)
    const isMended = mendMessageId(raw)
    if (arrival.isForgotten?.(raw, times)) {
      const messageId = claimedId(raw)
      if (isDetailed(raw, (messageId?.length ?? 0) + DELETED_REASON.length))
        rejections.push({ messageId, index, code: 'person_deleted', reason: DELETED_REASON })
      else countOne(moreRejected, 'person_deleted')
      continue
    }
    let changed = context !== undefined || isStamped || isMended || cleansed !== undefined
    const checked = checkMessage(raw, times)
    if (!checked.ok) {
      reject({ raw, index, changed }, checked)
      continue
    }
    if (mayBeTooLarge && isTooLarge(raw, textOf({ raw, index, changed }, text))) {
      const reason = `the message is larger than ${MAX_MESSAGE_BYTES / 1024} KB: send less in properties`
      reject({ raw, index, changed }, { code: 'too_large', reason })
      continue
    }
    const { message } = checked
    const refusal = senders.refusalOf(message)
    if (refusal) {
      reject({ raw, index, changed }, refusal)
      continue
    }
    const violation = plan?.check(message as unknown as StoredMessage)
    if (violation && plan?.mode === 'enforce') {
      reject({ raw, index, changed }, violation)
      continue
    }
    let id = idOf(message.messageId)
    if (!id) {
      id = arrival.newId()
      message.messageId = id
      changed = true
    }
    const visitorId = visitorIdOf({ anonymousId: idOf(message.anonymousId), userId: idOf(message.userId) })
    // Nearly always that of the message before.
    if (visitor?.visitorId !== visitorId || visitor.sender !== sender) visitor = visitorOf(visitorId, sender)
    const known = visitor.ids.size
    if (visitor.ids.add(id).size === known) continue
    const added = withUserAgent(arrival.enricher?.enrich(message, cleansed?.network))
    if (plan && tagViolation(message, violation)) changed = true
    if (violation && isDetailed(raw, id.length + violation.reason.length))
      violations.push({ messageId: id, index, ...violation })
    else if (violation) countOne(moreViolations, violation.code)
    if (changed) isAnyChanged = true
    visitor.messages.push({ id, raw, index, changed, added })
  }
  const canBeWhole = isPlain && !isAnyChanged

  return {
    accepted: batch.length - rejections.length - sum(moreRejected),
    rejections,
    violations,
    ...(moreRejected.size > 0 ? { moreRejected } : {}),
    ...(moreViolations.size > 0 ? { moreViolations } : {}),
    envelopes: all.map(made => ({
      siteId,
      receivedAt,
      sender: made.sender,
      oldest: senders.oldest,
      sentAt: common.sentAt,
      visitorId: made.visitorId,
      messages: made.messages,
      text,
      isWhole: canBeWhole && made.messages.length === batch.length,
      // It counts once: with the batch's last message.
      ledger: made === visitor ? ledger : undefined,
    })),
    ...(refused.length > 0 ? { refused: refusedEnvelope() } : {}),
  }

  function visitorOf(visitorId: string, sender: Sender): Visitor {
    const known = visitors[sender].get(visitorId)
    if (known) return known
    const made: Visitor = { visitorId, sender, messages: [], ids: new Set() }
    visitors[sender].set(visitorId, made)
    all.push(made)
    return made
  }

  type Reason = { code: RejectionCode; reason: string } | Violation
  function reject(message: Pick<Taken, 'raw' | 'index' | 'changed'>, why: Reason) {
    const { raw, index } = message
    const { code, reason } = why
    const place = 'path' in why ? { path: why.path, schemaVersion: why.schemaVersion } : {}
    const messageId = claimedId(raw)
    const payload = rejectedPayload(raw, textOf(message, text))
    if (!isDetailed(raw, (messageId?.length ?? 0) + reason.length + payload.length)) return countOne(moreRejected, code)
    rejections.push({ messageId, index, code, reason, ...place })
    refused.push({ messageId, code, reason, ...place, payload })
  }

  function isDetailed(raw: unknown, bytes: number): boolean {
    return arrival.rejections?.takes(isObject(raw), bytes) ?? true
  }

  function refusedEnvelope(): RejectedEnvelope {
    const rest = moreRejected.size > 0 ? [restOf(moreRejected)] : []
    const agent = userAgent ? { userAgent } : {}
    return { ...common, sender: senders.key, ...agent, rejected: [...refused, ...rest] }
  }
}

function claimedId(raw: unknown): string | null {
  const claimed = isObject(raw) ? raw.messageId : undefined
  return typeof claimed === 'string' ? claimed.slice(0, 256) : null
}

/** White space between what is sent doesn't count. */
function isTooLarge(raw: unknown, text: string): boolean {
  return Buffer.byteLength(text) > MAX_MESSAGE_BYTES && Buffer.byteLength(jsonText(raw)) > MAX_MESSAGE_BYTES
}

/** Makes the function that adds the user agent to what else is added; the same to the same, so that it is written once. */
function addingUserAgent(userAgent: string | undefined) {
  let [before, after]: (MessageContext | undefined)[] = [undefined, userAgent ? { userAgent } : undefined]
  return (added: MessageContext | undefined) => {
    if (!userAgent) return added
    if (added !== before) [before, after] = [added, { userAgent, ...added }]
    return after
  }
}

/** What a message says itself goes before what its batch says. */
function shareContext(raw: unknown, context: Record<string, unknown>): void {
  if (!isObject(raw)) return
  const own = raw.context ?? {}
  if (isObject(own)) raw.context = { ...context, ...own }
}

/** A message from the body of a single-message route, as a batch of one. */
export function batchOfOne(body: unknown, type: Message['type']): object {
  if (!isObject(body)) throw new Failure('malformed', 'the body must be a message: a JSON object')
  const { writeKey: _secret, ...message } = body
  return { batch: [{ ...message, type }] }
}
