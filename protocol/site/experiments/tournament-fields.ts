import { isObject } from '../../wire/checks/is-object.js'
import { type CatalogFields, listOf, objectOf } from '../catalog/reading.js'
import { isWholeWithin } from '../catalog/values.js'
import { isDefinitionName } from '../definitions/name.js'
import { MAX_ARMS } from './experiment.js'
import { TOURNAMENT_ACTIONS, TOURNAMENT_STEPS } from './tournament.js'

/** The longest text of a time, and of a reason, in characters. */
const LONGEST_TIME = 40
const LONGEST_REASON = 1_000

const MINUTES_OF_WEEK = 7 * 24 * 60

const isTimeText = (value: unknown) =>
  typeof value === 'string' && value.length <= LONGEST_TIME && Number.isFinite(Date.parse(value))

const NUMBER = { form: 'a number', isFit: (value: unknown) => Number.isFinite(value), isRequired: true } as const

const VALUE_FIELDS: CatalogFields = {
  value: { ...NUMBER, meaning: 'share of clicks' },
  low: { ...NUMBER, meaning: 'lower end of its interval' },
  high: { ...NUMBER, meaning: 'upper end of its interval' },
}

/** The fields of a step. */
export const TOURNAMENT_STEP_FIELDS: CatalogFields = {
  at: { form: 'an ISO 8601 time', isFit: isTimeText, meaning: 'when', isRequired: true },
  arm: { form: 'the id of one of its arms', isFit: isDefinitionName, meaning: 'the candidate', isRequired: true },
  step: {
    form: `one of ${TOURNAMENT_STEPS.join(', ')}`,
    isFit: value => (TOURNAMENT_STEPS as readonly unknown[]).includes(value),
    meaning: 'what was done with it',
    isRequired: true,
  },
  reason: {
    form: `text of at most ${LONGEST_REASON} characters`,
    isFit: value => typeof value === 'string' && value.length <= LONGEST_REASON,
    meaning: 'why',
    isRequired: true,
  },
  decisions: { ...NUMBER, meaning: 'decisions by which it was valued' },
  ...VALUE_FIELDS,
  running: {
    form: 'an object with value, low and high',
    isFit: isObject,
    read: objectOf(VALUE_FIELDS),
    meaning: 'the same of what ran',
    isRequired: true,
  },
}

/** The fields of `tournament`. */
export const TOURNAMENT_FIELDS: CatalogFields = {
  apply: {
    form: `one of ${TOURNAMENT_ACTIONS.join(', ')}`,
    isFit: value => (TOURNAMENT_ACTIONS as readonly unknown[]).includes(value),
    meaning:
      'what is done when a candidate is better for certain: `try`, it becomes an arm with its share of the persons, beside the control; `promote`, the slot chooses as it for everybody; `tell`, the answer says it and nothing is done. One that is worse for certain is dropped, but with `tell`',
    default: '`try`',
  },
  clickMinutes: {
    form: `a whole number from 1 to ${MINUTES_OF_WEEK}`,
    isFit: value => isWholeWithin(value, 1, MINUTES_OF_WEEK),
    meaning: 'minutes after a decision in which a click on it counts; so much later it is looked at',
    default: '`30`',
  },
  since: {
    form: 'an ISO 8601 time',
    isFit: isTimeText,
    meaning: 'decisions from then on count',
    default: 'when the tournament was put',
  },
  arm: {
    form: 'the id of one of its arms',
    isFit: isDefinitionName,
    meaning: 'candidate that is tried. Left out, it stays as stored; null takes it back',
    default: 'none',
  },
  steps: {
    form: 'a list of steps',
    isFit: Array.isArray,
    read: listOf(
      TOURNAMENT_STEP_FIELDS,
      2 * MAX_ARMS,
      '{"at": "2026-11-01T00:00:00Z", "arm": "bold", "step": "tried", …}',
    ),
    meaning: 'what was done with candidates. Left out, those of arms that are the same stay as stored',
    default: 'none',
  },
}
