import { isObject } from '../../wire/checks/is-object.js'
import { editDistance, nearest } from '../../wire/checks/nearest.js'
import { MAX_NAME_LENGTH } from '../../wire/limits.js'
import { guessDuration, parseDuration } from './duration.js'
import type { DefinitionField } from './faults.js'
import { AGGREGATES, type AggregateName } from './features.js'
import { isDefinitionName, NAME_FORM } from './name.js'

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

/** Paths of features whose values are in no single place of a message, with what they are. */
export const DERIVED_PATHS: Record<string, string> = {
  'product.id': '`product_id` of the properties, else `sku`',
  'product.category': '`category` of the properties, of its products, or of the content that the message names',
  'order.amount': '`revenue` of the properties, else `total`',
  'order.currency': '`currency` of the properties, `XXX` where there is none',
  'time.hour': 'hour of the message in the time zone of the visitor, 0 to 23',
  'time.weekday': 'day of the week there, 1 to 7 from Monday',
  'time.date': 'date there',
}

/**
 * Aggregates: whether they need a path as value, may have one, or read none; whether the weights of events count, and
 * what they yield.
 */
export const AGGREGATE_RULES: Record<
  AggregateName,
  { value: 'needed' | 'may' | 'none'; isWeighted: boolean; meaning: string }
> = {
  count: {
    value: 'may',
    isWeighted: true,
    meaning: 'number of messages, or of the values that they have at `value`, each with its weight',
  },
  sum: { value: 'may', isWeighted: true, meaning: 'sum of the values, each times its weight' },
  min: { value: 'may', isWeighted: false, meaning: 'least number' },
  max: { value: 'may', isWeighted: false, meaning: 'greatest number' },
  mean: { value: 'may', isWeighted: false, meaning: 'mean of the numbers' },
  first: { value: 'needed', isWeighted: false, meaning: 'value of the earliest message' },
  last: { value: 'needed', isWeighted: false, meaning: 'value of the latest message' },
  mode: { value: 'needed', isWeighted: false, meaning: 'most frequent value' },
  distinct: {
    value: 'needed',
    isWeighted: false,
    meaning: 'number of different values, approximate beyond its bound',
  },
  unique: { value: 'needed', isWeighted: false, meaning: 'list of the different values' },
  exists: { value: 'none', isWeighted: false, meaning: 'whether there was such a message' },
  sinceFirst: { value: 'none', isWeighted: false, meaning: 'time since the earliest message' },
  sinceLast: { value: 'none', isWeighted: false, meaning: 'time since the latest message' },
  topK: { value: 'needed', isWeighted: false, meaning: 'the ten most frequent values, the most frequent first' },
}

const DURATION_FORM = 'a duration such as 30m, 24h or 7d, from 1s to 400d'
const PATH_FORM = 'a path in the message, such as properties.price or product.category'

/** The fields of a feature, in the order in which the documentation lists them. */
export const FEATURE_FIELDS: Record<string, DefinitionField> = {
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
    guess: text => nearest(text, AGGREGATES),
    meaning: 'how it sums them up, see below',
    isRequired: true,
  },
  value: {
    form: `${PATH_FORM}, or 1`,
    isFit: value => value === 1 || isFeaturePath(value),
    guess: guessPath,
    meaning: 'what is summed up, for the aggregates that read a value',
    default: '`1`, for those that need no path',
  },
  by: {
    form: PATH_FORM,
    isFit: isFeaturePath,
    guess: guessPath,
    meaning: 'one value for each key that is found there',
    default: 'one value in all',
  },
  window: {
    form: `${NAMED_WINDOWS.map(name => `"${name}"`).join(', ')} or ${DURATION_FORM}`,
    isFit: value => NAMED_WINDOWS.includes(value as string) || isSpan(value),
    guess: text => guessDuration(text) ?? nearest(text, NAMED_WINDOWS),
    meaning: 'how far back it looks',
    default: '`lifetime`',
  },
  halfLife: {
    form: DURATION_FORM,
    isFit: isSpan,
    guess: guessDuration,
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
    guess: text => nearest(text, ENTITIES),
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

/** Guesses the path that a text is meant for: one whose first field is misspelt, or a derived one. */
export function guessPath(text: string): string | undefined {
  const derived = Object.keys(DERIVED_PATHS).find(path => editDistance(text.toLowerCase(), path, 2) <= 2)
  if (derived !== undefined) return derived
  const [root = '', ...rest] = text.split('.')
  const meant = nearest(root, ROOTS)
  return meant === undefined ? undefined : [meant, ...rest].join('.')
}
