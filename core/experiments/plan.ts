import { type ArmSums, alphaOfEach, meanOf } from './lift.js'
import { powerOf } from './power.js'
import { DEFAULT_ALPHA } from './sequences/sequence.js'

/** A planned experiment, and measurements of its slot. */
export interface PlanQuestion {
  /** Relative effect to be detected, such as 0.02. */
  effect: number
  /** Chance to detect it. Default 0.8 */
  power?: number | undefined
  /** Share of intervals that miss the truth at any time. Default 0.05 */
  alpha?: number | undefined
  /** Shares of the arms, the control first, with the sum 1. Default: two halves */
  shares?: readonly number[] | undefined
  /** Whether the metric is a sum of amounts; otherwise, whether an event came. */
  isAmount: boolean
  /** Sums over the persons of the slot in the measured days. */
  measured: ArmSums
  /** Number of measured days. */
  days: number
  /** Mean per person of the control. Default: as measured */
  baseRate?: number | undefined
  /** New persons per day. Default: as measured */
  personsPerDay?: number | undefined
}

/** How long an experiment takes. Null: the measurements do not suffice. */
export interface Plan {
  days: number | null
  /** Of all arms. */
  persons: number | null
  baseRate: number
  personsPerDay: number
  effect: number
  power: number
  alpha: number
  shares: number[]
  /** Assumptions of the answer, in plain words. */
  assumptions: string[]
  verdict: string
}

/**
 * Returns how many persons and days it takes to detect an effect. Each arm is compared with the control separately: the
 * smallest arm takes longest.
 *
 * @throws RangeError where the question is out of range, see `powerOf`
 */
export function planOf(question: PlanQuestion): Plan {
  const { effect, power = 0.8, alpha = DEFAULT_ALPHA, shares = [0.5, 0.5], isAmount, measured, days: over } = question
  const { mean, variance } = measured.units > 0 ? meanOf(measured) : { mean: 0, variance: 0 }
  const { baseRate = mean, personsPerDay = measured.units / over } = question
  for (const name of ['baseRate', 'personsPerDay'] as const) {
    const { [name]: rate } = question
    if (rate !== undefined && !(rate > 0)) throw new RangeError(`${name} must be above 0`)
  }
  const plan = { baseRate, personsPerDay, effect, power, alpha, shares: [...shares] }
  const assumptions = assumptionsOf(question, shares)
  const isKnown = baseRate > 0 && personsPerDay > 0 && (mean > 0 || !isAmount)
  if (!isKnown) {
    const missing = personsPerDay > 0 ? 'no person earned anything' : 'no person was shown anything'
    const verdict = `It cannot be told: ${missing} in ${lastDays(over)}. Give baseRate and personsPerDay.`
    return { days: null, persons: null, ...plan, assumptions, verdict }
  }
  const control = shares[0]!
  const smallest = Math.min(...shares.slice(1))
  const compared = control + smallest
  const { units } = powerOf({
    baseRate,
    ...(isAmount && { variance: variance * measured.units * (baseRate / mean) ** 2 }),
    effect,
    unitsPerDay: personsPerDay,
    power,
    share: smallest / compared,
    alpha: alphaOfEach(shares.length - 1, alpha),
  })
  const persons = Math.ceil(units / compared)
  const days = Math.ceil(persons / personsPerDay)
  if (question.personsPerDay === undefined && days > over) assumptions.push(LONGER)
  const goal = `To find a difference of ${percent(effect)} in ${Math.round(power * 100)} of 100 cases`
  const verdict = `${goal} takes about ${days.toLocaleString('en-US')} days: ${persons.toLocaleString('en-US')} persons.`
  return { days, persons, ...plan, assumptions, verdict }
}

const LONGER =
  'It takes longer than the days that were measured: persons who come again count once, so that it may take longer still.'

function assumptionsOf({ days, baseRate, personsPerDay }: PlanQuestion, shares: readonly number[]): string[] {
  const over = lastDays(days)
  return [
    personsPerDay === undefined
      ? `As many new persons come each day as in ${over}.`
      : 'personsPerDay is as you gave it.',
    baseRate === undefined
      ? `The control earns what the persons of ${over} did, whatever they were shown.`
      : 'baseRate is as you gave it.',
    'You look as often as you like, and stop at the first clear answer: it is found earlier in most cases.',
    'stop.units of the experiment is the number of persons that this says.',
    ...(shares.length > 2 ? [`The effect is that of one of ${shares.length - 1} arms, the smallest one.`] : []),
  ]
}

function lastDays(days: number): string {
  return days === 1 ? 'the last day' : `the last ${days} days`
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`
}
