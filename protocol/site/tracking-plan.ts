import type { JsonObject, Message } from '../wire/messages.js'

/** Treatments of messages that break a site's tracking plan. */
export type PlanMode =
  /** Nothing is checked. */
  | 'off'
  /** They are stored, and say in `context.violation` what is wrong. */
  | 'warn'
  /** They are rejected. */
  | 'enforce'

export const PLAN_MODES: readonly PlanMode[] = ['off', 'warn', 'enforce']

/** JSON Schemas by version, by event. */
export type PlanSchemas = Record<string, Record<string, JsonObject>>

/** The schemas of a site's messages. One value in the bucket `plans`, so that it changes as a whole. */
export interface TrackingPlan {
  mode: PlanMode
  /** Treatment of a `track` message whose event is not in the plan. Default `allow`. */
  unplanned: 'allow' | 'violation'
  /**
   * The schemas of `properties` of `track` messages, by event; of other calls by `@page`, `@screen` (of their
   * `properties`), `@identify` and `@group` (of their `traits`).
   */
  schemas: PlanSchemas
}

/** The plan of a site that has none. */
export const NO_PLAN: TrackingPlan = { mode: 'off', unplanned: 'allow', schemas: {} }

/** Calls other than `track` as they are named in a plan. */
export const PLANNED_CALLS = ['@page', '@screen', '@identify', '@group'] as const

/** Events of the product itself. They are never unplanned. */
export const OWN_EVENTS: ReadonlySet<string> = new Set([
  'Page Engaged',
  'Slot Viewed',
  'Slot Clicked',
  'Web Vital',
  'Page Error',
])

/**
 * Returns the name of a message in a plan. Empty, which no plan holds, for an event that is named like another call.
 */
export function plannedName({ type, event = '' }: Pick<Message, 'type' | 'event'>): string {
  if (type !== 'track') return `@${type}`
  return event[0] === '@' ? '' : event
}

/**
 * Largest tracking plan, in bytes of its JSON text: one value of NATS KV, of which nats-server takes 1 MB unless told
 * otherwise.
 */
export const MAX_PLAN_BYTES = 768 * 1024

/** Most schemas of a plan, all events and versions together. */
export const MAX_PLAN_SCHEMAS = 1_000

/** Largest schema, in bytes of its JSON text. */
export const MAX_SCHEMA_BYTES = 64 * 1024
