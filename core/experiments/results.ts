import {
  type Experiment,
  type Guardrail,
  metricDetails,
  STOP_REASONS,
  type StopAction,
  type StopReason,
} from '@slotstream/protocol'
import type { LossCheck } from './checks/loss.js'
import type { CheckResult } from './checks/sample-ratio.js'
import {
  type ArmSums,
  alphaOfEach,
  differenceOf,
  estimateOf,
  isFiniteSums,
  LEAST_UNITS,
  type Lift,
  type LiftOptions,
  relativeLiftOf,
} from './lift.js'
import { stopReason, verdictOf } from './verdict.js'

/** Counts and sums of an arm. */
export interface CountedArm {
  id: string
  decisions: number
  /** One entry per metric. */
  metrics: readonly ArmSums[]
  /** One entry per guardrail. */
  guardrails: readonly ArmSums[]
  /** The same, weighted for what got lost on the way. Absent: unknown */
  weighted?: { metrics: readonly ArmSums[]; guardrails: readonly ArmSums[] } | undefined
}

/** Whether draws fit their recorded chances. */
export interface DrawsCheck extends CheckResult {
  /** Number of draws that were checked. */
  draws?: number
  /** Whether there were more than could be read: the earliest of the period were left out. */
  cut?: boolean
}

/** Input of results. */
export interface Counted {
  /** The control first. */
  arms: readonly CountedArm[]
  sampleRatio: CheckResult
  propensities: DrawsCheck
  loss: LossCheck
  /** Loss of messages by content, the most shown content first. Absent: unknown */
  contents?: LossCheck
}

/** An arm in results, by the first metric. Null: it has too few units */
export interface ArmResult {
  id: string
  decisions: number
  units: number
  /** Sum of the rewards that arrived. Null: it is no finite number */
  rewards: number | null
  value: number | null
  low: number | null
  high: number | null
}

/** Relative lift of the best arm over the control. Null: either has too few units */
export interface LiftResult {
  arm: string | null
  value: number | null
  low: number | null
  high: number | null
}

/** Results of an experiment. */
export interface ExperimentResults {
  arms: ArmResult[]
  /** Relative: 0.02 is 2 %. */
  lift: LiftResult
  sampleRatio: CheckResult
  propensities: DrawsCheck
  /**
   * `weighted`: values and lift are weighted for what got lost. `contents`: whether all contents lose messages alike;
   * what policies learn is weighted in any case.
   */
  loss: LossCheck & { weighted: boolean; contents?: LossCheck }
  /** `ok`: no arm is worse by more than the margin. */
  guardrails: { event: string; ok: boolean; lift: LiftResult }[]
  /** Reason to end it now. Null: there is none, or it has ended */
  stop: StopReason | null
  verdict: string
}

/** Fields of an experiment that results depend on. */
type ResultsAsked = Pick<Experiment, 'metrics' | 'guardrails' | 'stop' | 'stopped'>

/** Returns the results of an experiment. They hold at every look at once, so it is no mistake to look often. */
export function resultsOf(experiment: ResultsAsked, counted: Counted) {
  const { guardrails = [], stop = {}, stopped } = experiment
  const { sampleRatio, propensities, loss, contents } = counted
  const isWeighted = !loss.ok && counted.arms.every(({ weighted }) => weighted)
  const arms = isWeighted ? counted.arms.map(arm => ({ ...arm, ...arm.weighted })) : counted.arms
  const alpha = alphaOfEach(arms.length - 1)
  const options: LiftOptions = { alpha, tunedTo: stop.units, least: stop.least }
  const isCountable = arms.every(({ metrics, guardrails }) => [...metrics, ...guardrails].every(isFiniteSums))
  const best = isCountable ? bestLift(arms, ({ metrics }) => metrics[0]!, options) : undefined
  const watched = guardrails.map((guardrail, index) =>
    guardrailOf(guardrail, arms, arm => arm.guardrails[index]!, options),
  )
  const units = arms.reduce((sum, { metrics }) => sum + metrics[0]!.units, 0)
  const facts = {
    lift: best?.lift,
    arm: best?.id,
    units,
    fewest: Math.min(...arms.map(({ metrics }) => metrics[0]!.units)),
    least: stop.least ?? LEAST_UNITS,
    expected: stop.units,
    sampleRatio: sampleRatio.ok,
    propensities: propensities.ok,
    loss: loss.ok,
    contents: contents?.ok ?? true,
    isCountable,
    isWeighted,
    guardrails: watched.filter(({ ok }) => !ok).map(({ event }) => event),
  }
  const reason = stopped ? undefined : stopReason(facts, stop.on ?? reasonsOf(stop.apply))
  return {
    arms: arms.map((arm, index) => ({
      ...armResult(arm, options),
      rewards: finiteOrNull(counted.arms[index]!.metrics[0]!.sum),
    })),
    lift: shownLift(best),
    sampleRatio,
    propensities,
    loss: { ...loss, weighted: isWeighted, ...(contents && { contents }) },
    guardrails: watched,
    stop: reason ?? null,
    verdict: verdictOf(facts, reason),
  } satisfies ExperimentResults
}

/** Returns the default reasons to stop: "better" is one only where an arm is promoted. */
function reasonsOf(apply: StopAction | undefined): StopReason[] {
  return STOP_REASONS.filter(reason => reason !== 'better' || apply === 'promote')
}

interface NamedLift {
  id: string
  lift: Lift
}

/** Returns the lift of the best arm: the one with the largest lower limit. */
function bestLift(
  [control, ...others]: readonly CountedArm[],
  sumsOf: (arm: CountedArm) => ArmSums,
  options: LiftOptions,
): NamedLift | undefined {
  let best: NamedLift | undefined
  for (const arm of others) {
    const lift = relativeLiftOf(sumsOf(arm), sumsOf(control!), options)
    if (lift && (!best || lift.low > best.lift.low)) best = { id: arm.id, lift }
  }
  return best
}

/** Checks a guardrail: it is broken where the whole interval of an arm's lift is beyond its margin. */
function guardrailOf(
  guardrail: Guardrail,
  [control, ...others]: readonly CountedArm[],
  sumsOf: (arm: CountedArm) => ArmSums,
  options: LiftOptions,
) {
  const { event, worse = 'less', margin = 0 } = metricDetails<{ worse?: 'less' | 'more'; margin?: number }>(guardrail)
  let shown: NamedLift | undefined
  let ok = true
  for (const arm of others) {
    const lift = relativeLiftOf(sumsOf(arm), sumsOf(control!), options)
    if (!lift) {
      // Where the control has none at all there is no relative lift; any certain increase counts as more.
      const more = differenceOf(sumsOf(arm), sumsOf(control!), options)
      ok &&= !(worse === 'more' && more !== undefined && more.low > 0)
      continue
    }
    const isBroken = worse === 'less' ? lift.high < -margin : lift.low > margin
    if (!shown || isBroken) shown = { id: arm.id, lift }
    ok &&= !isBroken
  }
  return { event, ok, lift: shownLift(shown) }
}

function armResult({ id, decisions, metrics }: CountedArm, options: LiftOptions): ArmResult {
  const sums = metrics[0]!
  const { value = null, low = null, high = null } = estimateOf(sums, options) ?? {}
  return { id, decisions, units: sums.units, rewards: finiteOrNull(sums.sum), value, low, high }
}

function finiteOrNull(sum: number): number | null {
  return Number.isFinite(sum) ? sum : null
}

function shownLift(named: NamedLift | undefined): LiftResult {
  const { value = null, low = null, high = null } = named?.lift ?? {}
  return { arm: named?.id ?? null, value, low, high }
}
