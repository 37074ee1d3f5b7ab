import type { Batch, BatchAnswer, Message } from './messages.js'

/** One slot asked for: `count` items (default: the slot's own, usually 1). */
export interface SlotRequest {
  id: string
  count?: number
}

/** Body of `POST /v1/slots`. */
export interface SlotsRequest {
  anonymousId: string
  userId?: string
  /**
   * HMAC-SHA256 of `userId` by the site's `identitySecret`, lower-case hex. Without it, such a site answers for the
   * browser only.
   */
  signature?: string
  slots: SlotRequest[]
  context?: { sessionId?: string; pageViewId?: string; page?: { url?: string; path?: string }; [key: string]: unknown }
  /** Messages that are not sent yet; they count in the answer. Same form as in `/v1/batch`. */
  batch?: Message[]
  /** When `batch` was sent, by the client's clock. */
  sentAt?: string
  /** Sealed batches that are not acknowledged yet, each treated exactly as in `POST /v1/batch`. */
  batches?: Batch[]
  /** Highest `position` the client was given: the answer waits until it counts. */
  after?: number
  writeKey?: string
  /** Token of a preview link: the decisions are those that the link shows, and nothing of them is recorded. */
  preview?: string
  /** Asks for `reason` with each decision. Honoured for sites with `debug` on. */
  explain?: boolean
}

/** One chosen content. `payload` is what the page renders. */
export interface SlotItem {
  contentId: string
  /** Place in the slot, from 1. */
  position: number
  payload: Record<string, unknown>
}

/** Why a decision came out as it did, for debuggers. */
export interface DecisionReason {
  policy: string
  policyVersion: string
  propensities: number[]
  explored: boolean
  affinities: Record<string, number>
  excluded: { contentId: string; reason: string; detail?: string }[]
  /**
   * Content that could be shown, the most likely first: what the policy thinks of it, and its chance for the first
   * position.
   */
  candidates?: { contentId: string; score: number; probability: number }[]
  /** Campaigns that chose, the first position's first. Absent: none */
  campaigns?: string[]
  /** Views that the slot had learned from. Absent: none */
  learnedViews?: number
}

/**
 * How a slot request ended. `served`: the policy chose. `holdout`: the visitor belongs to the slot's holdout.
 * `empty`: no content was eligible. `unknown_slot`: the site has no such slot. `timeout`: no answer in time.
 * `stale`: what the policy knows of the visitor is older than the slot's `maxAge`.
 * `unavailable`: no process owned the visitor's partition, or the stream could not be reached.
 * In all but `served`, `items` is empty and the page's own content stays.
 */
export type Outcome = (typeof OUTCOMES)[number]

export const OUTCOMES = ['served', 'holdout', 'empty', 'unknown_slot', 'timeout', 'stale', 'unavailable'] as const

export interface SlotDecision {
  slotId: string
  decisionId: string
  outcome: Outcome
  items: SlotItem[]
  /** Age of each feature that the policy chose by, in milliseconds; 0: nothing is missing. Absent: it asks for none. */
  ages?: Record<string, number>
  reason?: DecisionReason
  /** It is what a preview link shows: it is recorded nowhere, so `decisionId` is empty. */
  preview?: true
}

/** Answer to `POST /v1/slots`. */
export interface SlotsAnswer {
  decisions: SlotDecision[]
  /**
   * One per entry of `batches`, in order: what became of it, or why it was not stored (`success: false`: send it
   * again).
   */
  batches?: (BatchAnswer | { success: false; error: { code: string; message: string } })[]
  /** As in `BatchAnswer`. */
  position?: number
}
