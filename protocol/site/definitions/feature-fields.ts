import { isObject } from '../../wire/checks/is-object.js'
import { MAX_NAME_LENGTH } from '../../wire/limits.js'
import { parseDuration } from './duration.js'
import { AGGREGATES, type AggregateName } from './features.js'
import { isDefinitionName, NAME_FORM } from './name.js'

/**
 * A field of a feature: what it may be, and what it is for. The check, the API's description and docs/profiles.md read
 * it.
 */
export interface FeatureField {
  /** Description of a permitted value, as it follows "must be". */
  form: string
  isFit(value: unknown): boolean
  meaning: string
  /** As it stands in the table of the documentation; absent: it may be left out. */
  default?: string
  isRequired?: true
}

/** Shortest and longest time that features look back. */
const [SHORTEST_MS, LONGEST_MS] = [1_000, 400 * 86_400_000]

/** Windows that are no durations. */
const NAMED_WINDOWS = ['session', 'lifetime']

/** Most values that a feature tells apart: keys of `by`, members of a set. */
export const MAX_FEATURE_KEYS = 500
export const DEFAULT_FEATURE_KEYS = 100

/** Longest description of a feature, in characters. */
export const MAX_DESCRIPTION = 500

export const ENTITIES = ['person', 'session', 'content'] as const

/** Fields of a message, at which a path begins. */
const ROOTS = [
  ...['messageId', 'type', 'event', 'name', 'anonymousId', 'userId', 'previousId', 'groupId'],
  ...['timestamp', 'originalTimestamp', 'properties', 'traits', 'context'],
]

/** Paths of features whose values stand in no single place of a message, with what they are. */
export const DERIVED_PATHS: Record<string, string> = {
  'product.id': '`product_id` of the properties, else `sku`',
  'product.category': '`category` of the properties, of its products, or of the content that the message names',
  'order.amount': '`revenue` of the properties, else `total`',
  'order.currency': '`currency` of the properties, `XXX` where there is none',
  'time.hour': 'hour of the message in the time zone of the visitor, 0 to 23',
  'time.weekday': 'day of the week there, 1 to 7 from Monday',
  'time.date': 'date there',
}

/** Aggregates: whether they read a value, whether the weights of events count, and what they yield. */
export const AGGREGATE_RULES: Record<AggregateName, { readsValue: boolean; isWeighted: boolean; meaning: string }> = {
  count: { readsValue: false, isWeighted: true, meaning: 'number of messages, each with its weight' },
  sum: { readsValue: true, isWeighted: true, meaning: 'sum of the values, each times its weight' },
  min: { readsValue: true, isWeighted: false, meaning: 'least number' },
  max: { readsValue: true, isWeighted: false, meaning: 'greatest number' },
  mean: { readsValue: true, isWeighted: false, meaning: 'mean of the numbers' },
  first: { readsValue: true, isWeighted: false, meaning: 'value of the earliest message' },
  last: { readsValue: true, isWeighted: false, meaning: 'value of the latest message' },
  mode: { readsValue: true, isWeighted: false, meaning: 'most frequent value' },
  distinct: {
    readsValue: true,
    isWeighted: false,
    meaning: 'number of different values, approximate beyond its bound',
  },
  unique: { readsValue: true, isWeighted: false, meaning: 'list of the different values' },
  exists: { readsValue: false, isWeighted: false, meaning: 'whether there was such a message' },
  sinceFirst: { readsValue: false, isWeighted: false, meaning: 'time since the earliest message' },
  sinceLast: { readsValue: false, isWeighted: false, meaning: 'time since the latest message' },
  topK: { readsValue: true, isWeighted: false, meaning: 'the ten most frequent values, the most frequent first' },
}

const DURATION_FORM = 'a duration such as 30m, 24h or 7d, from 1s to 400d'
const PATH_FORM = 'a path in the message, such as properties.price or product.category'

/** The fields of a feature, in the order in which the documentation lists them. */
export const FEATURE_FIELDS: Record<string, FeatureField> = {
  name: {
    form: NAME_FORM,
    isFit: isDefinitionName,
    meaning: 'name, by which segments and answers call it; unique in the set',
    isRequired: true,
  },
  source: {
    form: 'an object: {"event": "Product Viewed"} or {"events": {"Product Viewed": 1, "Product Added": 3}}',
    isFit: isObject,
    meaning: 'messages that it looks at, see below',
    isRequired: true,
  },
  aggregate: {
    form: `one of ${AGGREGATES.join(', ')}`,
    isFit: value => AGGREGATES.includes(value as AggregateName),
    meaning: 'how it sums them up, see below',
    isRequired: true,
  },
  value: { form: PATH_FORM, isFit: isFeaturePath, meaning: 'what is summed up, for the aggregates that read a value' },
  by: {
    form: PATH_FORM,
    isFit: isFeaturePath,
    meaning: 'one value for each key that is found there',
    default: 'one value in all',
  },
  window: {
    form: `${NAMED_WINDOWS.map(name => `"${name}"`).join(', ')} or ${DURATION_FORM}`,
    isFit: value => NAMED_WINDOWS.includes(value as string) || isSpan(value),
    meaning: 'how far back it looks',
    default: '`lifetime`',
  },
  halfLife: {
    form: DURATION_FORM,
    isFit: isSpan,
    meaning: 'in place of `window`: after this time a message counts half as much; only with `count` and `sum`',
  },
  tumbling: {
    form: 'true or false',
    isFit: value => typeof value === 'boolean',
    meaning:
      'the window begins at whole multiples of its length in UTC, instead of ending now; only with a duration as `window`',
    default: '`false`',
  },
  entity: {
    form: `one of ${ENTITIES.join(', ')}`,
    isFit: value => ENTITIES.includes(value as (typeof ENTITIES)[number]),
    meaning: 'what it describes: a person, the present session, or an item of content',
    default: '`person`',
  },
  keys: {
    form: `a whole number from 1 to ${MAX_FEATURE_KEYS}`,
    isFit: value => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_FEATURE_KEYS,
    meaning: 'most keys of `by`, and most members of a set',
    default: `\`${DEFAULT_FEATURE_KEYS}\``,
  },
  public: {
    form: 'true or false',
    isFit: value => typeof value === 'boolean',
    meaning:
      'whether the site’s pages may read the definition, and count it in the browser; only of the present session, see [In the browser](features.md#in-the-browser)',
    default: '`false`',
  },
  description: {
    form: `text of at most ${MAX_DESCRIPTION} characters`,
    isFit: value => typeof value === 'string' && value.length <= MAX_DESCRIPTION,
    meaning: 'a note for its readers',
  },
}

/** Tells whether a window is a duration: 1s to 400d. */
export function isSpan(value: unknown): boolean {
  const ms = typeof value === 'string' ? parseDuration(value) : undefined
  return ms !== undefined && ms >= SHORTEST_MS && ms <= LONGEST_MS
}

/** Tells whether a value is a path into a message, or a derived one. */
function isFeaturePath(value: unknown): boolean {
  return isPath(value) || (typeof value === 'string' && Object.hasOwn(DERIVED_PATHS, value))
}

/** Tells whether a value is a path into a message: names with dots between them, the first one a field of messages. */
export function isPath(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > MAX_NAME_LENGTH) return false
  const names = value.split('.')
  return ROOTS.includes(names[0]!) && names.every(name => name !== '' && name !== '__proto__')
}
