import type { SlotDecision, SlotRequest, SlotsRequest } from '../../wire/slots.js'

/** A decision that is only looked at: it is recorded nowhere, has no id, and nothing is learned from it. */
export interface DecisionPreview {
  /** Content that slots show whatever their policy says, by slot. */
  show?: Record<string, string[]>
}

/** NATS request to `decide.<partition>`, from a collector to the owner of the visitor's partition. */
export interface DecideRequest {
  siteId: string
  visitorId: string
  anonymousId: string
  userId?: string
  slots: SlotRequest[]
  context?: SlotsRequest['context']
  /** Stream position that must have been applied before deciding. 0: none. */
  after: number
  /** How long the owner may take, in milliseconds. After that it answers `timeout` outcomes. */
  deadlineMs: number
  explain: boolean
  /**
   * Whether the explanation may tell what a person is. Default: only what is asked for, and the request's own context
   */
  tellsPerson?: boolean
  /** Absent: a decision that is shown to its visitor. */
  preview?: DecisionPreview
}

/** Reply to a `DecideRequest`. The decisions are in the stream when it is sent. */
export interface DecideReply {
  decisions: SlotDecision[]
  /** Cost beyond one message a slot, in messages. Default 0 */
  cost?: number
}
