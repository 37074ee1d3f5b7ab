import type { DecisionRecord } from '../envelopes/stored.js'

/** Request-reply subject on which the record of a decision is asked for. */
export const RECORD_SUBJECT = 'record'

/** Request for one decision of a site. */
export interface RecordRequest {
  siteId: string
  decisionId: string
}

/** The record as the table has it; null: it has none of that id. */
export type RecordReply = { record: DecisionRecord | null } | { failed: string }
