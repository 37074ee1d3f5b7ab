import { type Plan, planOf } from '@slotstream/core'
import { checkExperiments, type Experiment, type Metric, metricDetails, type TrafficReply } from '@slotstream/protocol'
import type { Nats } from '@slotstream/runtime'
import { Failure } from '../../http/failure.js'
import { askWarehouse } from './read-results.js'

/** Days that are measured where none are asked for, and at most. */
const DEFAULT_DAYS = 14
const MOST_DAYS = 366

const DAY_MS = 86_400_000

/** Question how long an experiment in a slot takes. */
export interface PowerRequest {
  siteId: string
  slotId: string
  /** ISO 8601: the days that are measured. */
  from: string
  to: string
  days: number
  /** Whether these days are measured in any case. Otherwise, those since the slot was first used in them. */
  isAsked: boolean
  metric: Metric
  question: Pick<Parameters<typeof planOf>[0], 'effect' | 'power' | 'alpha' | 'shares' | 'baseRate' | 'personsPerDay'>
}

/** How long an experiment takes, what was measured for it, and the SQL of that. */
export type PowerAnswer = Plan & {
  metric: Metric
  /** Null: nothing had to be measured. */
  measured: { from: string; to: string; days: number; persons: number; rewards: number } | null
  sql: Record<string, string>
}

/**
 * Reads what a slot's persons earned lately, and returns how long an experiment takes. Where the question has both
 * numbers that would be measured, and the metric is no amount, whose spread has to be, nothing is read.
 *
 * @throws Failure `malformed` when the question is out of range; `unavailable` when no warehouse answers
 */
export type ReadPower = (request: PowerRequest) => Promise<PowerAnswer>

const NOTHING = { units: 0, sum: 0, squares: 0 }

/** Creates the function that asks a process with the role warehouse. */
export function createReadPower(nats: Pick<Nats, 'connection'>): ReadPower {
  return async ({ siteId, slotId, from, to, days: most, isAsked, metric, question }) => {
    const isAmount = metricDetails(metric).value !== undefined
    const isGiven = question.baseRate !== undefined && question.personsPerDay !== undefined
    if (isGiven && !isAmount) {
      const plan = answerable(() => planOf({ ...question, isAmount, measured: NOTHING, days: most }))
      return { ...plan, metric, measured: null, sql: {} }
    }
    const request = { siteId, slotId, from, to, traffic: metric }
    const { measured, since, sql } = await askWarehouse<Exclude<TrafficReply, { failed: string }>>(nats, request)
    const days = isAsked || since === undefined ? most : daysSince(since, Date.parse(to), most)
    const plan = answerable(() => planOf({ ...question, isAmount, measured, days }))
    const { units: persons, sum: rewards } = measured
    return { ...plan, metric, measured: { from, to, days, persons, rewards }, sql }
  }
}

/**
 * Returns the days since a slot was first used, to a tenth and at least one: days before have no persons. All days
 * where it was used on the first of them.
 */
function daysSince(since: number, to: number, most: number): number {
  const days = (to - since) / DAY_MS
  return days > most - 1 ? most : Math.max(1, Math.round(10 * days) / 10)
}

/**
 * Reads a request for the length of an experiment from its query.
 *
 * @param experiments of the slot's site: `experiment` names one whose arms and first metric are taken
 * @throws Failure `malformed` when a parameter is wrong; `not_found` when there is no such experiment
 */
export function powerRequest(
  { siteId, slotId }: Pick<PowerRequest, 'siteId' | 'slotId'>,
  query: Record<string, unknown>,
  experiments: readonly Experiment[],
  now: number,
): PowerRequest {
  const named = experiments.find(({ id, slot }) => slot === slotId && id === query.experiment)
  if (query.experiment !== undefined && !named)
    throw new Failure('not_found', `slot ${slotId} has no experiment of that id: GET …/experiments lists them`)
  const effect = numberOf(query, 'effect')
  if (effect === undefined)
    throw new Failure('malformed', 'effect is missing: give a relative one such as 0.02 for 2 %')
  const daysAsked = numberOf(query, 'days')
  const days = daysAsked ?? DEFAULT_DAYS
  if (!Number.isInteger(days) || days < 1 || days > MOST_DAYS)
    throw new Failure('malformed', `days must be a whole number from 1 to ${MOST_DAYS}`)
  const { metric, shares } = planned(slotId, query, named)
  const question = {
    effect,
    shares,
    power: numberOf(query, 'power'),
    alpha: numberOf(query, 'alpha'),
    baseRate: numberOf(query, 'baseRate'),
    personsPerDay: numberOf(query, 'personsPerDay'),
  }
  const { power = 0.8, alpha = 0.05 } = question
  if (!(power > 0 && power < 1 && alpha > 0 && alpha < 1))
    throw new Failure('malformed', 'power and alpha must be numbers above 0 and below 1')
  // Before the warehouse is asked: with any numbers that it may have, the question has to have an answer.
  answerable(() => planOf({ ...question, isAmount: true, measured: { units: 2, sum: 1, squares: 1 }, days }))
  const period = { from: new Date(now - days * DAY_MS).toISOString(), to: new Date(now).toISOString() }
  return { siteId, slotId, ...period, days, isAsked: daysAsked !== undefined, metric, question }
}

/** Returns the metric and the shares that are asked about, checked as those of an experiment are. */
function planned(
  slot: string,
  query: Record<string, unknown>,
  named?: Experiment,
): { metric: Metric; shares: number[] } {
  const { metric: event = 'Slot Clicked', value, from, shares: text } = query
  const windowHours = numberOf(query, 'windowHours')
  const shares =
    typeof text === 'string' ? text.split(',').map(Number) : (named?.arms.map(({ share }) => share) ?? [0.5, 0.5])
  const isNamed = named && query.metric === undefined
  const details = [value, windowHours, from].some(detail => detail !== undefined)
  const metric = details ? { event, value, windowHours, from } : event
  const metrics = [isNamed ? named.metrics[0]! : metric]
  const arms = shares.map((share, index) => ({ id: `arm-${index}`, share }))
  const checked = checkExperiments([{ id: 'plan', slot, arms, metrics }])
  if (checked.ok) return { metric: checked.value[0]!.metrics[0]!, shares }
  const faults = checked.faults.map(fault => fault.replace(/^experiments\[0\]\.?/, ''))
  throw new Failure('malformed', `this is no experiment: ${faults[0]}`, faults)
}

function answerable(plan: () => Plan): Plan {
  try {
    return plan()
  } catch (error) {
    if (error instanceof RangeError) throw new Failure('malformed', error.message)
    throw error
  }
}

function numberOf(query: Record<string, unknown>, name: string): number | undefined {
  const text = query[name]
  if (text === undefined) return undefined
  const value = typeof text === 'string' && text.trim() !== '' ? Number(text) : Number.NaN
  if (!Number.isFinite(value)) throw new Failure('malformed', `${name} must be a number`)
  return value
}
