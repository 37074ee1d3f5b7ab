import type { PolicySpec } from '../policies.js'
import type { TournamentRules } from './tournament.js'

/** A comparison of several ways in which a slot can choose. Each person is in one arm, always the same. */
export interface Experiment {
  /** Unique in the site. A new one shares persons out anew. */
  id: string
  slot: string
  /** The first one is the control. */
  arms: ExperimentArm[]
  /** Experiments of one group exclude each other: a person is in one of them. Absent: in no group */
  group?: string
  /** Events that are compared, the decisive one first. */
  metrics: Metric[]
  /** Events that must not get worse. Absent: none */
  guardrails?: Guardrail[]
  /** Absent: persons are in all arms from the start. */
  tournament?: TournamentRules
  /** Absent: results say when to stop, and nothing is switched off. */
  stop?: StopRules
  /** Absent: it runs. */
  stopped?: StoppedExperiment
}

/** One way to choose. With neither `policy` nor `contentIds`: as the slot does. */
export interface ExperimentArm {
  id: string
  /** Share of the persons. All of an experiment add up to 1. */
  share: number
  /** Takes the place of the slot's. */
  policy?: PolicySpec
  /** Content among which the slot's policy chooses. */
  contentIds?: string[]
}

/** An event that is counted of a person who is in an experiment, by its name, or with more of it. */
export type Metric = string | MetricDetails

export interface MetricDetails {
  /** Event of a `track` message. */
  event: string
  /** Path of what is summed, such as `properties.revenue`. Absent: whether the event came at all, 0 or 1 */
  value?: string
  /** Hours after the person's first decision in which it counts. Default: to the end of the period that is asked for */
  windowHours?: number
  /** Senders whose messages count. Default: all. `secret`: only servers that sent them with a secret key */
  from?: MetricSender
}

/** Senders that a metric may be restricted to. */
export const METRIC_SENDERS = ['secret'] as const

export type MetricSender = (typeof METRIC_SENDERS)[number]

/** An event that must not get worse. */
export type Guardrail = string | (MetricDetails & { worse?: GuardrailDirection; margin?: number })

/** Which way is worse. */
export const GUARDRAIL_DIRECTIONS = ['less', 'more'] as const

export type GuardrailDirection = (typeof GUARDRAIL_DIRECTIONS)[number]

/** When an experiment has run long enough, or must not run on. */
export interface StopRules {
  /** Units that are expected in all, of both arms: intervals are narrowest there. Default: 10,000 */
  units?: number
  /** Units of each arm below which nothing is said. Default: 100 */
  least?: number
  /** Reasons for which it ends. Default: `STOP_REASONS` but `better`, which `promote` adds */
  on?: StopReason[]
  /** Consequence. Default: `stop` */
  apply?: StopAction
}

/**
 * Consequence of a reason to stop. `tell`: results say so. `stop`: the slot chooses as the control does for everybody.
 * `promote`: likewise, and as the better arm where one is better for certain.
 */
export const STOP_ACTIONS = ['tell', 'stop', 'promote'] as const

export type StopAction = (typeof STOP_ACTIONS)[number]

/** Reasons to stop. */
export const STOP_REASONS = ['better', 'worse', 'guardrail', 'sampleRatio', 'propensities', 'loss', 'units'] as const

export type StopReason = (typeof STOP_REASONS)[number]

/** How an experiment ended. */
export interface StoppedExperiment {
  /** ISO 8601. */
  at: string
  /** `asked`: by an administrator. */
  reason: StopReason | 'asked'
  /** Arm as which the slot chooses since then. Default: the control */
  arm?: string
  /** Words for what was known of it. */
  verdict?: string
}

/** Most experiments of a site, arms of an experiment, and metrics or guardrails of one. */
export const MAX_EXPERIMENTS = 200
export const MAX_ARMS = 10
export const MAX_METRICS = 10

/** Largest set, in bytes of its JSON text. */
export const MAX_EXPERIMENT_BYTES = 256 * 1024

/** The set of a site, with its revision: 0 where there never was one. */
export interface ExperimentSet {
  revision: number
  /** When it was stored, ISO 8601; '' where there never was one. */
  at: string
  experiments: Experiment[]
}

export const NO_EXPERIMENTS: ExperimentSet = { revision: 0, at: '', experiments: [] }

/** Returns the details of a metric that may be given by its name alone. */
export function metricDetails<Details extends object>(metric: string | (MetricDetails & Details)) {
  return typeof metric === 'string' ? ({ event: metric } as MetricDetails & Partial<Details>) : metric
}
