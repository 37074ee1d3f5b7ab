/** How a message breaks the tracking plan. */
export interface Violation {
  code: ViolationCode
  /** The fault, its place, and what to do: one sentence for a person. */
  reason: string
  /** Where in the message: a JSONPath (RFC 9535) such as `$.properties.price`. */
  path: string
  /** The schema that counted; empty where there is none. */
  schemaVersion: string
  /** Each thing that is wrong, the above first, where there are several. Told to the client, not stored. */
  problems?: Problem[]
}

/** One thing that is wrong with a message: where, as JSONPath, and what. */
export interface Problem {
  path: string
  reason: string
}

/** How a message can break the plan, by the code that says so. */
export const VIOLATION_CODES = {
  schema_violation: 'the message does not fit its event’s schema in the site’s tracking plan',
  unknown_schema_version: '`context.schemaVersion` names a version that the plan doesn’t have',
  unplanned_event: 'the plan does not know the event, and wants to know all',
} as const

export type ViolationCode = keyof typeof VIOLATION_CODES
