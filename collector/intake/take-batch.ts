import {
  isObject,
  isoTime,
  MAX_MESSAGE_BYTES,
  type Message,
  type MessageContext,
  parseTime,
  type RejectedEnvelope,
} from '@slotstream/protocol'
import { MAX_USER_AGENT } from '../enrich/user-agent.js'
import { Failure } from '../http/failure.js'
import { ALL_PUBLIC, type Senders } from '../keys/senders.js'
import type { RejectionBudget } from '../safety/rejection-budget.js'
import { acceptMessage, type MessageRules, PERSON_DELETED } from './accept/accept-message.js'
import { parseBatch } from './accept/parse-batch.js'
import { createMessageGroups } from './publish/group-messages.js'
import type { OutgoingEnvelope } from './publish/outgoing-envelope.js'
import { sum } from './rejected/rejected-counts.js'
import { createRejectedMessages, type RejectionReport } from './rejected/rejected-messages.js'

/** Facts about a batch besides its text, and the rules of its messages. */
export interface BatchScope
  extends Pick<MessageRules, 'newId' | 'enricher' | 'plan' | 'work' | 'isForgotten' | 'text' | 'isMarked'> {
  siteId: string
  /** Milliseconds since the epoch. */
  received: number
  /** Size of the request's body: an upper bound of each message's. */
  bytes: number
  userAgent?: string | undefined
  /** Decides what each message is sent by. Default: all are public, and nothing needs a secret key. */
  senders?: Senders
  /** Bounds what is told and stored in detail of messages that are not good. Default: all is. */
  rejections?: RejectionBudget | undefined
}

/** A batch, taken apart: what is to be stored, and what the client is told. */
export interface Intake extends RejectionReport {
  accepted: number
  /** One for each visitor and sender, in the order in which they first occur. */
  envelopes: OutgoingEnvelope[]
  rejected?: RejectedEnvelope
}

/** A batch whose messages are taken one after the other, each once and in order. */
interface OpenBatch {
  readonly length: number
  take(index: number): void
  /** Returns the outcome when all are taken. */
  finish(): Intake
}

/**
 * Checks the messages of a batch one by one and groups the good ones by visitor and sender, in order. A message id that
 * comes twice for those is kept once and accepted twice. The messages of `body` may be changed.
 *
 * @throws Failure when there is no batch to look into
 */
export function takeBatch(body: unknown, scope: BatchScope): Intake {
  const batch = openBatch(body, scope)
  for (let index = 0; index < batch.length; index++) batch.take(index)
  return batch.finish()
}

/**
 * Takes a batch as `takeBatch` does, and lets other requests be answered in between.
 *
 * @param slice asked after each message: what to wait for once others have waited long enough
 * @throws Failure when there is no batch to look into
 */
export async function takeBatchInSlices(
  body: unknown,
  scope: BatchScope,
  slice: () => Promise<void> | undefined,
): Promise<Intake> {
  const batch = openBatch(body, scope)
  for (let index = 0; index < batch.length; index++) {
    batch.take(index)
    const others = slice()
    if (others) await others
  }
  return batch.finish()
}

function openBatch(body: unknown, scope: BatchScope): OpenBatch {
  const { batch, sentAt, ledger, context, isPlain } = parseBatch(body)
  const { siteId, received, text, senders = ALL_PUBLIC } = scope
  const sent = typeof sentAt === 'string' ? parseTime(sentAt) : undefined
  const userAgent = scope.userAgent?.slice(0, MAX_USER_AGENT)
  const frame = {
    siteId,
    receivedAt: new Date(received).toISOString(),
    ...(sent === undefined ? {} : { sentAt: isoTime(sent) }),
  }
  const rules: MessageRules = {
    times: { received, ...(sent === undefined ? {} : { sent }) },
    newId: scope.newId,
    senders,
    enricher: scope.enricher,
    plan: scope.plan,
    work: scope.work,
    isExplained: scope.rejections?.explains,
    isForgotten: scope.isForgotten,
    context,
    text,
    isMarked: scope.isMarked,
    mayBeTooLarge: scope.bytes > MAX_MESSAGE_BYTES,
    withUserAgent: addingUserAgent(userAgent),
  }
  const groups = createMessageGroups()
  const rejected = createRejectedMessages(text, scope.rejections)
  let isAnyChanged = false

  return {
    length: batch.length,
    take(index) {
      const verdict = acceptMessage(batch[index], index, rules)
      if (!verdict.accepted) {
        const { message, why } = verdict
        return why === PERSON_DELETED ? rejected.refuse(message, why) : rejected.reject(message, why)
      }
      const { message, visitorId, sender, violation } = verdict
      if (!groups.add(message, visitorId, sender)) return
      if (violation) rejected.violate(message, violation)
      if (message.changed) isAnyChanged = true
    },
    finish() {
      const report = rejected.report()
      const isWhole = (messages: unknown[]) => isPlain && !isAnyChanged && messages.length === batch.length
      const envelope = rejected.envelope({ ...frame, sender: senders.key, ...(userAgent ? { userAgent } : {}) })
      return {
        ...report,
        accepted: batch.length - report.rejections.length - sum(report.moreRejected ?? new Map()),
        // Written out: spreading the frame costs 8 µs for each of what may be 5,000 visitors.
        envelopes: groups.all.map(group => ({
          siteId,
          receivedAt: frame.receivedAt,
          sentAt: frame.sentAt,
          sender: group.sender,
          oldest: senders.oldest,
          visitorId: group.visitorId,
          messages: group.messages,
          text,
          isWhole: isWhole(group.messages),
          // It is counted once: with the batch's last message.
          ledger: group === groups.last ? ledger : undefined,
        })),
        ...(envelope ? { rejected: envelope } : {}),
      }
    },
  }
}

/**
 * Creates the function that adds the user agent to what else is added; the same to the same, so that it is written
 * once.
 */
function addingUserAgent(userAgent: string | undefined) {
  let [before, after]: (MessageContext | undefined)[] = [undefined, userAgent ? { userAgent } : undefined]
  return (added: MessageContext | undefined) => {
    if (!userAgent) return added
    if (added !== before) [before, after] = [added, { userAgent, ...added }]
    return after
  }
}

/** Returns a message from the body of a single-message route, as a batch of one. */
export function batchOfOne(body: unknown, type: Message['type']): object {
  if (!isObject(body)) throw new Failure('malformed', 'the body must be a message: a JSON object')
  const { writeKey: _secret, ...message } = body
  return { batch: [{ ...message, type }] }
}
