import {
  checkMessage,
  idOf,
  isObject,
  MAX_MESSAGE_BYTES,
  type MessageContext,
  type ReceiptTimes,
  type RejectionCode,
  type Sender,
  type StoredMessage,
  takeDigitsOfIds,
  type Violation,
  visitorIdOf,
  withDigits,
} from '@slotstream/protocol'
import type { CompiledPlan, WorkPool } from '@slotstream/tracking-plan'
import type { Enricher } from '../../enrich/enrich.js'
import { jsonText } from '../../http/body/json-text.js'
import type { Senders } from '../../keys/senders.js'
import { tagViolation } from '../../plan/tag-violation.js'
import { type AcceptedMessage, type BatchText, textOf } from '../publish/outgoing-envelope.js'
import { DELETED_REASON, type ForgottenMessage } from './forgotten.js'
import { replaceImplausibleId } from './message-id.js'
import { moveTraits } from './traits-in-context.js'

/** Rules by which the messages of one batch are checked. */
export interface MessageRules {
  times: ReceiptTimes
  /** Makes the id of a message that has none. */
  newId: () => string
  /** Decides what each message is sent by. */
  senders: Senders
  /** Adds to the messages and takes out of them. Default: nothing. */
  enricher?: Enricher | undefined
  /** The tracking plan of the messages. Default: none. */
  plan?: CompiledPlan | undefined
  /** Bounds the work of checking the request's messages against the plan. Default: each is bounded alone. */
  work?: WorkPool | undefined
  /** Whether to look for all that is wrong with one more message that breaks the plan. Default: always. */
  isExplained?: (() => boolean) | undefined
  /** Tells whether a message is rejected, and stored nowhere, because its person was deleted. Default: none is. */
  isForgotten?: ForgottenMessage | undefined
  /** Context of all messages of the batch. Default: each has its own only. */
  context?: Record<string, unknown> | undefined
  /** The batch as it was written. Default: its messages are serialized again. */
  text?: BatchText | undefined
  /** Whether whole numbers of it are marked text, see `markIntegers`. Default: there are none. */
  isMarked?: boolean | undefined
  /** Whether a message of it can be larger than one may be. */
  mayBeTooLarge: boolean
  /** Adds the user agent to what else is added to a message's context. */
  withUserAgent: (added: MessageContext | undefined) => MessageContext | undefined
}

/** Why a message is rejected. */
export type RejectionReason = { code: RejectionCode; reason: string } | Violation

/** The outcome of one message: accepted, with its visitor and sender, or rejected. */
export type Verdict =
  | { accepted: true; message: AcceptedMessage; visitorId: string; sender: Sender; violation: Violation | undefined }
  | { accepted: false; message: Pick<AcceptedMessage, 'raw' | 'index' | 'changed'>; why: RejectionReason }

/** Why what is from before its person's deletion is rejected. */
export const PERSON_DELETED: RejectionReason = { code: 'person_deleted', reason: DELETED_REASON }

const TOO_LARGE: RejectionReason = {
  code: 'too_large',
  reason: `the message is larger than ${MAX_MESSAGE_BYTES / 1024} KB: send less in properties`,
}

/**
 * Checks one message of a batch, and completes it in place where it is good.
 *
 * @param index its place in the batch
 */
export function acceptMessage(raw: unknown, index: number, rules: MessageRules): Verdict {
  const { times, senders, enricher, plan, context, text } = rules
  if (context) shareContext(raw, context)
  const hasDigits = rules.isMarked === true && isObject(raw) && takeDigitsOfIds(raw)
  const { sender, changed: isStamped } = senders.stamp(raw)
  const redacted = enricher?.redact(raw)
  const isIdReplaced = replaceImplausibleId(raw)
  const isMoved = moveTraits(raw)
  let changed = context !== undefined || hasDigits || isStamped || isIdReplaced || isMoved || redacted !== undefined
  const reject = (why: RejectionReason): Verdict => ({ accepted: false, message: { raw, index, changed }, why })

  if (rules.isForgotten?.(raw, times)) return reject(PERSON_DELETED)
  const checked = checkMessage(raw, times)
  if (!checked.ok) return reject(checked)
  if (rules.mayBeTooLarge && isTooLarge(raw, textOf({ raw, index, changed }, text))) return reject(TOO_LARGE)
  const { message } = checked
  const refusal = senders.refusalOf(message)
  if (refusal) return reject(refusal)
  const violation = violationOf(message, rules)
  if (violation && plan?.mode === 'enforce') return reject(violation)

  let id = idOf(message.messageId)
  if (!id) {
    id = rules.newId()
    message.messageId = id
    changed = true
  }
  const visitorId = visitorIdOf({ anonymousId: idOf(message.anonymousId), userId: idOf(message.userId) })
  const added = rules.withUserAgent(enricher?.enrich(message, redacted?.network))
  if (plan && tagViolation(message, violation)) changed = true
  return { accepted: true, message: { id, raw, index, changed, added }, visitorId, sender, violation }
}

function violationOf(message: object, { plan, work, isMarked, isExplained }: MessageRules): Violation | undefined {
  if (!plan) return undefined
  const shown = (isMarked ? withNumbers(message) : message) as StoredMessage
  const violation = plan.check(shown, work)
  return violation && (isExplained?.() ?? true) ? plan.explain(shown, violation) : violation
}

/** Returns a copy whose marked numbers are numbers, as schemas ask for them. */
function withNumbers(message: object): object {
  return JSON.parse(withDigits(JSON.stringify(message)))
}

/** White space between values is not part of a message's size. */
function isTooLarge(raw: unknown, text: string): boolean {
  return Buffer.byteLength(text) > MAX_MESSAGE_BYTES && Buffer.byteLength(jsonText(raw)) > MAX_MESSAGE_BYTES
}

/** A message's own context takes precedence over its batch's. */
function shareContext(raw: unknown, context: Record<string, unknown>): void {
  if (!isObject(raw)) return
  const ownContext = raw.context ?? {}
  if (isObject(ownContext)) raw.context = { ...context, ...ownContext }
}
