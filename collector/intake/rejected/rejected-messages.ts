import {
  isObject,
  type RejectedEnvelope,
  type RejectedMessage,
  type Rejection,
  type RejectionCode,
  type Violation,
} from '@slotstream/protocol'
import type { RejectionBudget } from '../../safety/rejection-budget.js'
import type { RejectionReason } from '../accept/accept-message.js'
import { type AcceptedMessage, type BatchText, textOf } from '../publish/outgoing-envelope.js'
import { countOne, restOf } from './rejected-counts.js'
import { rejectedPayload } from './rejected-payload.js'

/** The report to the client on messages that were rejected, or that break the plan. */
export interface RejectionReport {
  rejections: Rejection[]
  /** How many more were rejected than are told in detail, by code; absent where there are none. */
  moreRejected?: Map<RejectionCode, number>
  /** Accepted messages that break the plan. */
  violations: Rejection[]
  /** How many more of them there are than are told in detail, by code; absent where there are none. */
  moreViolations?: Map<RejectionCode, number>
}

type Rejected = Pick<AcceptedMessage, 'raw' | 'index' | 'changed'>

/** Collects what is told and stored of the messages of one batch that are not good. */
export interface RejectedMessages {
  /** Tells a message's reason, and keeps the message with it. */
  reject(message: Rejected, why: RejectionReason): void
  /** Tells a message's reason, and keeps nothing of it. */
  refuse(message: Rejected, why: RejectionReason): void
  /** Tells how an accepted message breaks the plan. */
  violate(message: AcceptedMessage, violation: Violation): void
  report(): RejectionReport
  /** Returns the text of them that is stored, in the place of the frame's list; undefined where nothing is. */
  envelope(frame: Omit<RejectedEnvelope, 'rejected'>): RejectedEnvelope | undefined
}

/**
 * @param text the batch as it was written. Default: payloads are serialized again
 * @param budget of details. Default: all is told and stored in detail
 */
export function createRejectedMessages(
  text: BatchText | undefined,
  budget: RejectionBudget | undefined,
): RejectedMessages {
  const rejections: Rejection[] = []
  const violations: Rejection[] = []
  const stored: RejectedMessage[] = []
  const moreRejected = new Map<RejectionCode, number>()
  const moreViolations = new Map<RejectionCode, number>()
  const isDetailed = (raw: unknown, bytes: number) => budget?.takes(isObject(raw), bytes) ?? true

  return {
    reject({ raw, index, changed }, why) {
      const { code, reason } = why
      const messageId = claimedId(raw)
      const payload = rejectedPayload(raw, textOf({ raw, index, changed }, text))
      if (!isDetailed(raw, (messageId?.length ?? 0) + reason.length + payload.length))
        return countOne(moreRejected, code)
      const place = 'path' in why ? { path: why.path, schemaVersion: why.schemaVersion } : {}
      const problems = 'problems' in why && why.problems ? { problems: why.problems } : {}
      rejections.push({ messageId, index, code, reason, ...place, ...problems })
      stored.push({ messageId, code, reason, ...place, payload })
    },
    refuse({ raw, index }, { code, reason }) {
      const messageId = claimedId(raw)
      if (isDetailed(raw, (messageId?.length ?? 0) + reason.length)) rejections.push({ messageId, index, code, reason })
      else countOne(moreRejected, code)
    },
    violate({ id, raw, index }, violation) {
      if (isDetailed(raw, id.length + violation.reason.length)) violations.push({ messageId: id, index, ...violation })
      else countOne(moreViolations, violation.code)
    },
    report: () => ({
      rejections,
      violations,
      ...(moreRejected.size > 0 ? { moreRejected } : {}),
      ...(moreViolations.size > 0 ? { moreViolations } : {}),
    }),
    envelope(frame) {
      if (stored.length === 0) return undefined
      return { ...frame, rejected: moreRejected.size > 0 ? [...stored, restOf(moreRejected)] : stored }
    },
  }
}

function claimedId(raw: unknown): string | null {
  const claimed = isObject(raw) ? raw.messageId : undefined
  return typeof claimed === 'string' ? claimed.slice(0, 256) : null
}
