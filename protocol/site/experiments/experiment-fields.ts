import { isObject } from '../../wire/checks/is-object.js'
import { isId } from '../../wire/checks/parse-stored.js'
import { MAX_LISTED_CONTENT, MAX_REWARD_HOURS } from '../catalog/limits.js'
import { readPolicy } from '../catalog/policy-fields.js'
import { atMost, type CatalogField, type CatalogFields, objectOf, readFields } from '../catalog/reading.js'
import { isEventName, isFilledIdList, isWholeWithin, isWithin } from '../catalog/values.js'
import { isDefinitionName, NAME_FORM } from '../definitions/name.js'
import {
  GUARDRAIL_DIRECTIONS,
  MAX_ARMS,
  MAX_METRICS,
  METRIC_SENDERS,
  STOP_ACTIONS,
  STOP_REASONS,
} from './experiment.js'
import { TOURNAMENT_FIELDS } from './tournament-fields.js'

/** The greatest number of units that rules name. */
const MAX_UNITS = 1_000_000_000_000

/** Path of a number in a message. */
const PATH = /^(properties|context)(\.[A-Za-z0-9_$-]{1,100}){1,8}$/

/** The longest text of a time, and of a verdict, in characters. */
const LONGEST_TIME = 40
const LONGEST_VERDICT = 1_000

const METRIC_EXAMPLE = '"Slot Clicked" or {"event": "Order Completed", "value": "properties.revenue"}'

/** The fields of a metric. */
export const METRIC_FIELDS: CatalogFields = {
  event: { form: 'the name of an event', isFit: isEventName, meaning: 'event of a `track` message', isRequired: true },
  value: {
    form: 'a path in the message such as properties.revenue',
    isFit: value => typeof value === 'string' && PATH.test(value),
    meaning: 'number that is summed',
    default: 'whether the event came at all, 0 or 1',
  },
  windowHours: {
    form: `a whole number from 1 to ${MAX_REWARD_HOURS}`,
    isFit: value => isWholeWithin(value, 1, MAX_REWARD_HOURS),
    meaning: "hours after the person's first decision in which it counts",
    default: 'to the end of the period that is asked for',
  },
  from: {
    form: `one of ${METRIC_SENDERS.join(', ')}`,
    isFit: value => (METRIC_SENDERS as readonly unknown[]).includes(value),
    meaning: 'senders whose messages count; `secret`: only servers that sent them with a secret key',
    default: 'all',
  },
}

/** The fields of a guardrail. */
export const GUARDRAIL_FIELDS: CatalogFields = {
  ...METRIC_FIELDS,
  worse: {
    form: `one of ${GUARDRAIL_DIRECTIONS.join(', ')}`,
    isFit: value => (GUARDRAIL_DIRECTIONS as readonly unknown[]).includes(value),
    meaning: 'which way is worse',
    default: '`less`',
  },
  margin: {
    form: 'a share from 0 to 1',
    isFit: value => isWithin(value, 0, 1),
    meaning: 'relative change for the worse that is put up with',
    default: '`0`',
  },
}

/** The fields of an arm. */
export const ARM_FIELDS: CatalogFields = {
  id: { form: NAME_FORM, isFit: isDefinitionName, meaning: 'its name, unique in the experiment', isRequired: true },
  share: {
    form: 'a number above 0, of at most 1',
    isFit: value => isWithin(value, Number.MIN_VALUE, 1),
    meaning: 'share of the persons; those of all arms add up to 1',
    isRequired: true,
  },
  policy: { form: 'an object with a type', isFit: isObject, read: readPolicy, meaning: "takes the slot's place" },
  contentIds: {
    form: 'a list of content ids',
    isFit: isFilledIdList,
    read: atMost(MAX_LISTED_CONTENT),
    meaning: "content of the slot among which the slot's policy chooses",
    default: "with no `policy` either: the slot's own choice",
  },
}

/** The fields of `stop`. */
export const STOP_FIELDS: CatalogFields = {
  units: {
    form: 'a whole number from 100',
    isFit: value => isWholeWithin(value, 100, MAX_UNITS),
    meaning: 'persons that are expected in all: intervals are narrowest there. To be fixed before the start',
    default: '`10000`',
  },
  least: {
    form: 'a whole number from 10',
    isFit: value => isWholeWithin(value, 10, MAX_UNITS),
    meaning: 'persons of each arm below which nothing is said',
    default: '`100`',
  },
  on: {
    form: `a list of ${STOP_REASONS.join(', ')}`,
    isFit: value =>
      Array.isArray(value) && value.every(reason => (STOP_REASONS as readonly unknown[]).includes(reason)),
    meaning: 'reasons for which it ends',
    default: 'all but `better`, which `promote` adds',
  },
  apply: {
    form: `one of ${STOP_ACTIONS.join(', ')}`,
    isFit: value => (STOP_ACTIONS as readonly unknown[]).includes(value),
    meaning:
      'what is done then: `stop`, the slot chooses as the control for everybody; `promote`, likewise, and as the better arm where one is; `tell`, the verdict says it and nothing is done',
    default: '`stop`',
  },
}

/** The fields of `stopped`. */
export const STOPPED_FIELDS: CatalogFields = {
  at: {
    form: 'an ISO 8601 time',
    isFit: value => typeof value === 'string' && value.length <= LONGEST_TIME && Number.isFinite(Date.parse(value)),
    meaning: 'when it ended',
    isRequired: true,
  },
  reason: {
    form: `one of ${['asked', ...STOP_REASONS].join(', ')}`,
    isFit: value => value === 'asked' || (STOP_REASONS as readonly unknown[]).includes(value),
    meaning: 'why; `asked`: an administrator ended it',
    isRequired: true,
  },
  arm: {
    form: 'the id of one of its arms',
    isFit: isDefinitionName,
    meaning: 'arm as which the slot chooses since then',
    default: 'the control',
  },
  verdict: {
    form: `text of at most ${LONGEST_VERDICT} characters`,
    isFit: value => typeof value === 'string' && value.length <= LONGEST_VERDICT,
    meaning: 'what was known of it',
  },
}

/** The fields of an experiment. */
export const EXPERIMENT_FIELDS: CatalogFields = {
  id: { form: NAME_FORM, isFit: isDefinitionName, meaning: 'its name, unique in the site', isRequired: true },
  slot: { form: 'the id of a slot', isFit: isId, meaning: 'slot whose choice is tried', isRequired: true },
  arms: {
    form: `a list of 2 to ${MAX_ARMS} arms such as {"id": "control", "share": 0.5}`,
    isFit: value => Array.isArray(value) && value.length >= 2 && value.length <= MAX_ARMS,
    read: itemsOf(ARM_FIELDS, '{"id": "control", "share": 0.5}'),
    meaning: 'ways to choose; the first one is the control',
    isRequired: true,
  },
  group: {
    form: NAME_FORM,
    isFit: isDefinitionName,
    meaning: 'experiments of one group exclude each other',
    default: 'none',
  },
  metrics: {
    form: `a list of 1 to ${MAX_METRICS} metrics such as ${METRIC_EXAMPLE}`,
    isFit: value => Array.isArray(value) && value.length >= 1 && value.length <= MAX_METRICS,
    read: itemsOf(METRIC_FIELDS, METRIC_EXAMPLE, isEventName),
    meaning: 'what is compared; the first one decides',
    isRequired: true,
  },
  guardrails: {
    form: `a list of up to ${MAX_METRICS} metrics`,
    isFit: value => Array.isArray(value) && value.length <= MAX_METRICS,
    read: itemsOf(GUARDRAIL_FIELDS, METRIC_EXAMPLE, isEventName),
    meaning: 'what must not get worse',
    default: 'none',
  },
  tournament: {
    form: 'an object such as {"apply": "try"}',
    isFit: isObject,
    read: objectOf(TOURNAMENT_FIELDS),
    meaning: 'the arms but the control are candidates: valued by the log, before any person is in them',
    default: 'persons are in all arms from the start',
  },
  stop: {
    form: 'an object such as {"units": 50000}',
    isFit: isObject,
    read: objectOf(STOP_FIELDS),
    meaning: 'when it has run long enough, or must not run on, and what is done then',
    default: 'the verdict says when, and nothing is done',
  },
  stopped: {
    form: 'an object such as {"at": "2026-11-01T00:00:00Z", "reason": "asked"}',
    isFit: isObject,
    read: objectOf(STOPPED_FIELDS),
    meaning: 'how it ended; no person is in its arms since then. Left out, it stays as stored; null lets it run again',
    default: 'it runs',
  },
}

/** Returns the reader of a list of objects, or of values that stand for one. */
function itemsOf(
  fields: CatalogFields,
  example: string,
  isShort: (value: unknown) => boolean = () => false,
): NonNullable<CatalogField['read']> {
  return (list: readonly unknown[], path, reading) =>
    list.map((entry, index) => {
      const at = `${path}[${index}]`
      if (isShort(entry)) return entry
      if (isObject(entry)) return readFields(entry, fields, at, reading)
      reading.faults.push(`${at} must be ${example}`)
      return {}
    })
}
