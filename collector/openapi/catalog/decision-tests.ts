import {
  DECISION_TEST_FIELDS,
  EXPECT_FIELDS,
  GIVEN_FIELDS,
  LEAST_WITHIN_MS,
  MAX_DECISION_TESTS,
  MOST_WITHIN_MS,
  TESTED_OUTCOMES,
  TESTED_PERSON_FIELDS,
} from '@slotstream/protocol'
import type { Part } from '../operations.js'
import { objectOf } from './schemas.js'

const text: Part = { type: 'string', minLength: 1 }
const texts: Part = { type: 'array', items: text }
const count: Part = { type: 'integer', minimum: 0 }
const object: Part = { type: 'object' }

const PERSON: Part = objectOf(TESTED_PERSON_FIELDS, {
  anonymousId: text,
  userId: text,
  traits: object,
  segments: texts,
  signals: texts,
  features: object,
  affinities: { type: 'object', additionalProperties: { type: 'number', minimum: 0 } },
  firstSeen: text,
  lastSeen: text,
  sessions: count,
  events: count,
  shown: {
    type: 'array',
    items: {
      type: 'object',
      additionalProperties: false,
      required: ['contentId', 'ago'],
      properties: { contentId: text, ago: { type: 'string', examples: ['10m'] }, sessionId: text },
    },
  },
  stopped: texts,
})

const EXPECTED: Part = objectOf(EXPECT_FIELDS, {
  never: texts,
  always: texts,
  anyOf: texts,
  outcome: { enum: [...TESTED_OUTCOMES] },
  withinMs: { type: 'number', minimum: LEAST_WITHIN_MS, maximum: MOST_WITHIN_MS },
})

const TEST: Part = objectOf(DECISION_TEST_FIELDS, {
  name: text,
  given: objectOf(GIVEN_FIELDS, {
    profile: { ...PERSON, type: ['object', 'null'] },
    content: { type: 'object', additionalProperties: object },
    context: object,
    now: text,
  }),
  slot: text,
  expect: { ...EXPECTED, minProperties: 1 },
})

/** Decision tests, in the bodies of catalogs and drafts. */
export const DECISION_TESTS: Part = {
  type: 'array',
  maxItems: MAX_DECISION_TESTS,
  items: TEST,
  description: 'Must pass, or nothing is stored.',
}
