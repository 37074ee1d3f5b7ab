import { isObject } from '../../wire/checks/is-object.js'
import { MAX_NAME_LENGTH } from '../../wire/limits.js'
import { guessDuration, parseDuration } from './duration.js'
import type { DefinitionField } from './faults.js'
import { guessPath, isPath, isSpan, MAX_DESCRIPTION } from './feature-fields.js'
import { isDefinitionName, NAME_FORM } from './name.js'
import {
  MAX_PATTERN_COUNT,
  MAX_PATTERN_NOTS,
  MAX_PATTERN_STEPS,
  MAX_PATTERN_SUM,
  PATTERN_ENTITIES,
  type PatternEntity,
  type PatternKind,
} from './patterns.js'

/** Longest `grace`: as long a signal is late. */
const MAX_GRACE_MS = 24 * 3_600_000

const SPAN = 'a duration such as 30s, 10m, 24h or 7d, from 1s to 400d'
const PATH = 'a path in the message, such as properties.cart_id'

/** Fields that tell which messages a step takes. */
const EVENT_FIELDS: Record<'event' | 'where' | 'key', DefinitionField> = {
  event: {
    form: 'an event\'s name, a type such as page, or "*" for any message',
    isFit: value =>
      typeof value === 'string' && value !== '' && value.length <= MAX_NAME_LENGTH && value !== '__proto__',
    meaning: 'messages that are looked for: the name of a `track` message, another type of message, or `*` for any',
    isRequired: true,
  },
  where: {
    form: 'a condition, such as {"properties.price": {"$gt": 10}}',
    isFit: isObject,
    meaning: 'condition that the message must meet',
    default: 'any',
  },
  key: {
    form: PATH,
    isFit: isPath,
    guess: guessPath,
    meaning: 'value that must be the same in all messages of a match',
    default: 'none',
  },
}

/** Fields that all patterns have. */
export const COMMON_FIELDS: Record<string, DefinitionField> = {
  name: {
    form: NAME_FORM,
    isFit: isDefinitionName,
    meaning: 'name, which its signals bear; unique in the set',
    isRequired: true,
  },
  description: {
    form: `text of at most ${MAX_DESCRIPTION} characters`,
    isFit: value => typeof value === 'string' && value.length <= MAX_DESCRIPTION,
    meaning: 'a note for its readers',
    default: 'none',
  },
  grace: {
    form: 'a duration such as 0s, 30s or 5m, up to 24h',
    isFit: isGrace,
    guess: guessDuration,
    meaning:
      'messages wait this long and are taken in the order of their own times, so arriving up to this late changes nothing; signals come this much later',
    default: '`0s`',
  },
  quiet: {
    form: SPAN,
    isFit: isSpan,
    guess: guessDuration,
    meaning: 'time after a signal in which the same key yields no other',
    default: 'none',
  },
  entity: {
    form: PATTERN_ENTITIES.map(entity => `"${entity}"`).join(' or '),
    isFit: value => PATTERN_ENTITIES.includes(value as PatternEntity),
    meaning:
      'whose messages belong together: those of all browsers and servers of a person, or those of each browser by themselves',
    default: '`person`; `visitor` where an `event` is `*`',
  },
}

const WITHIN: DefinitionField = {
  form: SPAN,
  isFit: isSpan,
  guess: guessDuration,
  meaning: 'time in which it must happen: less than this passes between the first message and the last',
  default: 'any',
}

/** Fields of each kind of pattern, beside those that all have. */
export const KIND_FIELDS: Record<PatternKind, Record<string, DefinitionField>> = {
  sequence: {
    sequence: {
      form: `a list of 1 to ${MAX_PATTERN_STEPS} steps, of which the first is a message`,
      isFit: value => Array.isArray(value) && value.length >= 1 && value.length <= MAX_PATTERN_STEPS,
      meaning: 'steps, one after the other: messages, and messages that must not come',
      isRequired: true,
    },
    within: WITHIN,
  },
  count: {
    ...EVENT_FIELDS,
    count: {
      form: `a whole number from 1 to ${MAX_PATTERN_COUNT}`,
      isFit: value => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_PATTERN_COUNT,
      meaning: 'number of messages',
      isRequired: true,
    },
    within: WITHIN,
  },
  sum: {
    ...EVENT_FIELDS,
    value: { form: PATH, isFit: isPath, guess: guessPath, meaning: 'number that is added up', isRequired: true },
    sum: {
      form: `a number above 0, of at most ${MAX_PATTERN_SUM}`,
      isFit: value => typeof value === 'number' && value > 0 && value <= MAX_PATTERN_SUM,
      meaning: 'what the values must add up to',
      isRequired: true,
    },
    within: WITHIN,
  },
  after: {
    event: EVENT_FIELDS.event,
    where: EVENT_FIELDS.where,
    after: {
      form: SPAN,
      isFit: isSpan,
      guess: guessDuration,
      meaning: 'least time since the message before',
      isRequired: true,
    },
  },
  changed: {
    event: EVENT_FIELDS.event,
    where: EVENT_FIELDS.where,
    changed: {
      form: PATH,
      isFit: isPath,
      guess: guessPath,
      meaning: 'value that is another one than before',
      isRequired: true,
    },
    within: WITHIN,
  },
}

/** Fields of a step that is a message. */
export const STEP_FIELDS: Record<string, DefinitionField> = EVENT_FIELDS

/** Fields of a step that is an absence. */
export const ABSENCE_FIELDS: Record<string, DefinitionField> = {
  not: {
    form: `a step such as {"event": "Order Completed"}, or a list of 1 to ${MAX_PATTERN_NOTS} of them`,
    isFit: value => (Array.isArray(value) ? value.length >= 1 && value.length <= MAX_PATTERN_NOTS : isObject(value)),
    meaning: 'messages that must not come',
    isRequired: true,
  },
  within: {
    form: SPAN,
    isFit: isSpan,
    guess: guessDuration,
    meaning: 'how long none may come; needed in the last step',
    default: 'until the next step',
  },
}

function isGrace(value: unknown): boolean {
  const ms = typeof value === 'string' ? parseDuration(value) : undefined
  return ms !== undefined && ms <= MAX_GRACE_MS
}
