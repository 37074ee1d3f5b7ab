import type { StopReason } from '@slotstream/protocol'
import type { Lift } from './lift.js'

/** Facts by which verdicts and rules to stop are made. */
export interface ResultFacts {
  /** Relative lift of the best arm over the control. Undefined: too little data */
  lift: Lift | undefined
  /** Id of the best arm. */
  arm: string | undefined
  units: number
  /** Units of the smallest arm. */
  fewest: number
  /** Units of each arm below which there is no lift. */
  least: number
  /** Units that the experiment expects. Undefined: not declared */
  expected: number | undefined
  /** Whether the checks hold. */
  sampleRatio: boolean
  propensities: boolean
  loss: boolean
  /** Whether all contents lose messages alike. Default: yes */
  contents?: boolean
  /** Whether all sums are finite numbers. Default: yes */
  isCountable?: boolean
  /** Whether the lift is weighted for what got lost. Default: no */
  isWeighted?: boolean
  /** Events of the guardrails that are broken. */
  guardrails: readonly string[]
}

/** Returns the first reason to stop that holds, among `on`; reasons to distrust the numbers come first. */
export function stopReason(facts: ResultFacts, on: readonly StopReason[]): StopReason | undefined {
  const { lift, units, expected } = facts
  const holds: Record<StopReason, boolean> = {
    propensities: !facts.propensities,
    sampleRatio: !facts.sampleRatio,
    loss: !facts.loss,
    guardrail: facts.guardrails.length > 0,
    worse: lift?.isSignificant === true && lift.value < 0,
    better: lift?.isSignificant === true && lift.value > 0,
    units: expected !== undefined && units >= expected,
  }
  return (Object.keys(holds) as StopReason[]).find(reason => holds[reason] && on.includes(reason))
}

/** Returns the results of an experiment in plain words, and what to do. */
export function verdictOf(facts: ResultFacts, stop: StopReason | undefined): string {
  const { contents = true } = facts
  return [meaningOf(facts), ...(stop && !isFault(facts) ? [ADVICE[stop]] : []), ...(contents ? [] : [LESS])].join(' ')
}

const LESS =
  'After some content fewer messages arrive than after other content: what policies learn is weighted for it.'

const ADVICE: Record<StopReason, string> = {
  better: 'Stop: give the better arm to everyone.',
  worse: 'Stop: keep the control.',
  guardrail: 'Stop: something that must not get worse did.',
  sampleRatio: 'Stop: the numbers cannot be trusted.',
  propensities: 'Stop: the numbers cannot be trusted.',
  loss: 'Stop: the numbers cannot be trusted.',
  units: 'Stop: as many persons as were expected have been in it.',
}

function isFault({ sampleRatio, propensities, loss, isCountable = true }: ResultFacts): boolean {
  return !(sampleRatio && propensities && loss && isCountable)
}

function meaningOf(facts: ResultFacts): string {
  const { guardrails } = facts
  if (!facts.propensities)
    return "Don't trust the numbers: what was drawn does not fit the chances that were recorded. Stop, and look for the fault."
  if (!facts.sampleRatio)
    return "Don't trust the numbers: the arms have not got the shares of persons that they should. Stop, and look for the fault."
  if (facts.isCountable === false)
    return "Don't trust the numbers: what an arm earned adds up to no finite number. Look for amounts that are none."
  const broken = guardrails.length > 0 ? ` But ${guardrails.join(' and ')} got worse.` : ''
  if (facts.loss) return `${liftMeaning(facts)}${broken}`
  const fault =
    "Don't trust the numbers: of one arm, fewer messages arrive than of the other, so that it seems worse than it is."
  return facts.isWeighted ? `${fault} Weighted for what got lost: ${liftMeaning(facts)}${broken}` : fault
}

function liftMeaning({ lift, arm, units, fewest, least }: ResultFacts): string {
  if (!lift) {
    const why =
      fewest < least
        ? `${fewest.toLocaleString('en-US')} in the smallest arm: ${least} are needed in each`
        : 'and those of the control earned nothing that others could be compared with'
    return `Too early to say: ${people(units)} so far, ${why}.`
  }
  const range = `between ${percent(lift.low)} and ${percent(lift.high)}`
  if (!lift.isSignificant)
    return `No difference is certain yet: "${arm}" is ${range} against the control, after ${people(units)}.`
  return lift.value > 0
    ? `It helps: "${arm}" is better than the control by ${percent(lift.value)}, ${range}.`
    : `It harms: "${arm}" is worse than the control by ${percent(-lift.value)}, ${range}.`
}

function people(units: number): string {
  return units === 1 ? '1 person' : `${units.toLocaleString('en-US')} persons`
}

function percent(share: number): string {
  const value = share * 100
  return `${value.toFixed(Math.abs(value) < 10 ? 1 : 0)} %`
}
