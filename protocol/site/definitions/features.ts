import type { JsonObject } from '../../wire/messages.js'

/** How messages are summed up. */
export const AGGREGATES = [
  'count',
  'sum',
  'min',
  'max',
  'mean',
  'first',
  'last',
  'mode',
  'distinct',
  'unique',
  'exists',
  'sinceFirst',
  'sinceLast',
  'topK',
] as const

export type AggregateName = (typeof AGGREGATES)[number]

/** The messages that a feature looks at: of one event, or of several, each with its weight. */
export type FeatureSource =
  | { event: string; where?: JsonObject }
  | { events: Record<string, number>; where?: JsonObject }

/** A feature as an administrator declares it. */
export interface FeatureDefinition {
  name: string
  description?: string
  source: FeatureSource
  /** Path of the value in the message, or 1. Default: 1 */
  value?: string | 1
  /** Path of the key by which the feature is told apart. Default: it has one value. */
  by?: string
  aggregate: AggregateName
  /** `session`, `lifetime` or a duration. Default `lifetime`. */
  window?: string
  /** Duration after which a message counts half as much. In place of `window`. */
  halfLife?: string
  /** Whether the window begins at whole multiples of itself in UTC. Default: it ends now. */
  tumbling?: boolean
  /** Default `person`. */
  entity?: 'person' | 'session' | 'content'
  /** Most keys of `by`, and most values of a set. Default 100. */
  keys?: number
  /** Whether pages may read the definition, and count the feature in the browser. Default false. */
  public?: boolean
}

/** Switches a built-in feature off. */
export interface FeatureOff {
  name: string
  off: true
}

/** An entry of a site's features. */
export type DeclaredFeature = FeatureDefinition | FeatureOff

/** Tells whether an entry switches a built-in feature off. */
export function isFeatureOff(feature: DeclaredFeature): feature is FeatureOff {
  return 'off' in feature
}
