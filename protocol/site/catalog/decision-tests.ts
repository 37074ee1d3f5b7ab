import { isObject } from '../../wire/checks/is-object.js'
import { isId } from '../../wire/checks/parse-stored.js'
import type { JsonObject } from '../../wire/messages.js'
import type { OUTCOMES } from '../../wire/slots.js'
import { parseTime } from '../../wire/times/times.js'
import { shownFaults } from '../definitions/faults.js'
import { type CatalogCheck, type CatalogFields, listOf, objectOf, readFields } from './reading.js'
import { ID_FORM } from './slot-fields.js'
import { isDuration, isIdList, isShare, isWithin, readJson } from './values.js'

/** Most decision tests of a catalog. */
export const MAX_DECISION_TESTS = 1_000

/** Bounds of the time that a test may allow, in milliseconds. */
export const LEAST_WITHIN_MS = 0.01
export const MOST_WITHIN_MS = 10_000

/** Outcomes of decisions that a test may expect. */
export const TESTED_OUTCOMES = ['served', 'holdout', 'empty'] as const satisfies (typeof OUTCOMES)[number][]

/** A person as a test describes them. Absent: a newcomer, of whom nothing is known */
export interface TestedPerson {
  anonymousId?: string
  userId?: string
  traits?: JsonObject
  segments?: string[]
  signals?: string[]
  /** Values of features by name, as conditions read them. */
  features?: JsonObject
  /** Interest by category. */
  affinities?: Record<string, number>
  firstSeen?: string
  lastSeen?: string
  sessions?: number
  events?: number
  /** Content that they were shown, and how long ago. */
  shown?: { contentId: string; ago: string; sessionId?: string }[]
  /** Content that they are not shown any more after its `stopAfter`. */
  stopped?: string[]
}

/** An example of how a catalog decides, which is tried before it is published. */
export interface DecisionTest {
  name?: string
  given: { profile?: TestedPerson; content?: Record<string, JsonObject>; context?: JsonObject; now?: string }
  slot: string
  expect: {
    /** None of these can be shown. */
    never?: string[]
    /** Each of these is shown, whatever is drawn. */
    always?: string[]
    /** Nothing else can be shown. */
    anyOf?: string[]
    outcome?: (typeof TESTED_OUTCOMES)[number]
    /** Milliseconds that deciding takes at most, as the process that checks it measures them. */
    withinMs?: number
  }
}

const TIME_FORM = 'a time such as "2026-11-27T09:00:00Z"'
const isTime = (value: unknown) => typeof value === 'string' && parseTime(value) !== undefined
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0

const IDS = { form: 'a list of content ids', isFit: isIdList }
const NAMES = { form: 'a list of names', isFit: isIdList }
const OBJECT = { form: 'an object', isFit: isObject, read: readJson }
const TIME = { form: TIME_FORM, isFit: isTime }
const COUNT = { form: 'a whole number from 0', isFit: isCount }

const SHOWN_FIELDS: CatalogFields = {
  contentId: { form: ID_FORM, isFit: isId, meaning: 'what was shown', isRequired: true },
  ago: {
    form: 'a duration such as "10m"',
    isFit: isDuration,
    meaning: 'how long ago',
    isRequired: true,
  },
  sessionId: { form: ID_FORM, isFit: isId, meaning: 'in which session', default: "the request's" },
}

/** The fields of a test's `given.profile`. */
export const TESTED_PERSON_FIELDS: CatalogFields = {
  anonymousId: {
    form: ID_FORM,
    isFit: isId,
    meaning: 'browser; with it or `userId` the holdout is as for this visitor',
  },
  userId: { form: ID_FORM, isFit: isId, meaning: 'user' },
  traits: { ...OBJECT, meaning: 'traits, by name' },
  segments: { ...NAMES, meaning: 'segments that the person is in' },
  signals: { ...NAMES, meaning: 'names of recent signals' },
  features: { ...OBJECT, meaning: 'values of features by name, as conditions read them' },
  affinities: {
    form: 'an object of numbers by category',
    isFit: value => isObject(value) && Object.values(value).every(interest => isFiniteFrom0(interest)),
    meaning: 'interest by category',
  },
  firstSeen: { ...TIME, meaning: 'time of the first message', default: '`now`' },
  lastSeen: { ...TIME, meaning: 'time of the last message', default: '`now`' },
  sessions: { ...COUNT, meaning: 'sessions so far', default: '`0`' },
  events: { ...COUNT, meaning: 'messages so far', default: '`0`' },
  shown: {
    form: 'a list of objects such as {"contentId": "tent", "ago": "10m"}',
    isFit: Array.isArray,
    read: listOf(SHOWN_FIELDS, 100, '{"contentId": "tent", "ago": "10m"}'),
    meaning: 'what the person was shown, for caps: `{contentId, ago, sessionId?}`',
  },
  stopped: { ...IDS, meaning: 'content that the person is not shown any more after its `stopAfter`' },
}

/** The fields of a test's `given`. */
export const GIVEN_FIELDS: CatalogFields = {
  profile: {
    form: 'an object, or null for a newcomer',
    isFit: isObject,
    read: objectOf(TESTED_PERSON_FIELDS),
    meaning: 'the person',
    default: 'a newcomer',
  },
  content: {
    form: 'an object such as {"tent": {"content_trend": 5}}',
    isFit: value => isObject(value) && Object.values(value).every(isObject),
    read: readJson,
    meaning: 'values of features of content, by content and name',
    default: 'none',
  },
  context: { ...OBJECT, meaning: "the request's context", default: '`{}`' },
  now: { ...TIME, meaning: 'time of the request', default: 'the present' },
}

/** The fields of a test's `expect`. */
export const EXPECT_FIELDS: CatalogFields = {
  never: { ...IDS, meaning: 'none of these can be shown, whatever is drawn' },
  always: { ...IDS, meaning: 'each of these is shown, whatever is drawn' },
  anyOf: { ...IDS, meaning: 'nothing else can be shown' },
  outcome: {
    form: `one of ${TESTED_OUTCOMES.join(', ')}`,
    isFit: value => TESTED_OUTCOMES.includes(value as (typeof TESTED_OUTCOMES)[number]),
    meaning: 'outcome of the decision',
  },
  withinMs: {
    form: `a number from ${LEAST_WITHIN_MS} to ${MOST_WITHIN_MS}`,
    isFit: value => isWithin(value, LEAST_WITHIN_MS, MOST_WITHIN_MS),
    meaning: 'milliseconds that deciding takes at most, see [time of decisions](#time-of-decisions)',
  },
}

/** The fields of a test. */
export const DECISION_TEST_FIELDS: CatalogFields = {
  name: { form: ID_FORM, isFit: isId, meaning: 'what it is about', default: 'its place' },
  given: {
    form: 'an object such as {"profile": {"traits": {"plan": "pro"}}}',
    isFit: isObject,
    read: objectOf(GIVEN_FIELDS),
    meaning: '`profile`, `content`, `context` and `now`',
    default: 'a newcomer, now',
    filledWith: {},
  },
  slot: { form: ID_FORM, isFit: isId, meaning: 'slot that is asked for', isRequired: true },
  expect: {
    form: 'an object such as {"never": ["tent"]}',
    isFit: value => isObject(value) && Object.keys(value).length > 0,
    read: objectOf(EXPECT_FIELDS),
    meaning: '`never`, `always`, `anyOf`, `outcome` and `withinMs`, those that matter',
    isRequired: true,
  },
}

/**
 * Checks decision tests.
 *
 * @param raw a list of tests
 * @param label what stands before the place of a test in faults. Default `tests`
 */
export function checkDecisionTests(raw: unknown, label = 'tests'): CatalogCheck<DecisionTest[]> {
  if (!Array.isArray(raw)) return faulty([`${label} must be a list`])
  if (raw.length > MAX_DECISION_TESTS)
    return faulty([`${label} has ${raw.length} entries, ${MAX_DECISION_TESTS} are allowed`])
  const faults: string[] = []
  const tests = raw.map((test, index) => {
    const path = `${label}[${index}]`
    if (isObject(test)) return readFields(test, DECISION_TEST_FIELDS, path, { faults, isStrict: true })
    faults.push(`${path} must be an object such as {"given": {}, "slot": "hero", "expect": {"never": ["tent"]}}`)
    return {}
  })
  return faults.length > 0 ? faulty(faults) : { ok: true, value: tests as unknown as DecisionTest[] }
}

function isFiniteFrom0(value: unknown): boolean {
  return isShare(value) || (typeof value === 'number' && value > 0 && Number.isFinite(value))
}

function faulty(faults: string[]): { ok: false; reason: string; faults: string[] } {
  return { ok: false, reason: faults[0]!, faults: shownFaults(faults) }
}
