import { isObject } from '../../wire/checks/is-object.js'
import { isId } from '../../wire/checks/parse-stored.js'
import { MAX_LISTED_CONTENT, MAX_REWARD_HOURS } from '../catalog/limits.js'
import { readPolicy } from '../catalog/policy-fields.js'
import { atMost, type CatalogField, type CatalogFields, objectOf, readFields } from '../catalog/reading.js'
import { isEventName, isFilledIdList, isWholeWithin, isWithin } from '../catalog/values.js'
import { isDefinitionName, NAME_FORM } from '../definitions/name.js'
import { GUARDRAIL_DIRECTIONS, MAX_ARMS, MAX_METRICS, STOP_REASONS } from './experiment.js'

/** The greatest number of units that rules name. */
const MAX_UNITS = 1_000_000_000_000

/** Path of a number in a message. */
const PATH = /^(properties|context)(\.[A-Za-z0-9_$-]{1,100}){1,8}$/

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
    meaning: 'what the verdict says "stop" for',
    default: 'all but `better`',
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
  stop: {
    form: 'an object such as {"units": 50000}',
    isFit: isObject,
    read: objectOf(STOP_FIELDS),
    meaning: 'when it has run long enough, or must not run on',
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
