import {
  MAX_BATCH_MESSAGES,
  MAX_ITEMS,
  MAX_NAME_LENGTH,
  MAX_SLOTS,
  MAX_SLOTS_BATCHES,
  MESSAGE_TYPES,
  OUTCOMES,
  REJECTION_CODES,
} from '@slotstream/protocol'
import { type Part, ref } from './operations.js'

const time = (description: string): Part => ({ type: 'string', description: `${description} ISO 8601.` })
const count: Part = { type: 'integer', minimum: 0 }
/** Segment's libraries send null for an id they don't have, and servers the numbers of their databases. */
const id = (description: string): Part => ({
  type: ['string', 'number', 'null'],
  maxLength: MAX_NAME_LENGTH,
  description,
})
const open = (description: string): Part => ({ type: ['object', 'null'], description })

const MESSAGE_FIELDS: Part = {
  messageId: id('Made once and kept through every retry: what makes sending it again harmless.'),
  event: { type: ['string', 'null'], maxLength: MAX_NAME_LENGTH, description: 'Name of a `track` message.' },
  name: { type: ['string', 'null'], maxLength: MAX_NAME_LENGTH, description: 'Name of a `page` or `screen`.' },
  anonymousId: id('A browser or device. This or `userId` is needed.'),
  userId: id('A known person. Without an `anonymousId` it needs a secret key, where the site has some.'),
  previousId: id('Of `alias`: the id that `userId` replaces.'),
  groupId: id('Of `group`.'),
  timestamp: { ...time('When it happened, by the client’s clock.'), type: ['string', 'null'] },
  sentAt: time('When it was sent, by the client’s clock.'),
  properties: open('Of `track`, `page` and `screen`.'),
  traits: open('Of `identify` and `group`.'),
  context: open(
    'Where and how it came about: `page`, `campaign`, `locale`, `sessionId` …; `identity.signature` proves `userId`.',
  ),
}

/** Schemas of messages and slots. */
export const MESSAGE_SCHEMAS: Record<string, Part> = {
  SingleMessage: {
    type: 'object',
    description: 'One call of Segment’s spec; the route says its type. Further fields are kept.',
    properties: { ...MESSAGE_FIELDS, writeKey: { type: 'string' } },
  },
  Message: {
    type: 'object',
    description: 'One call of Segment’s spec. Further fields are kept.',
    required: ['type'],
    properties: { type: { enum: MESSAGE_TYPES }, ...MESSAGE_FIELDS },
  },
  Batch: {
    type: 'object',
    required: ['batch'],
    properties: {
      batch: { type: 'array', maxItems: MAX_BATCH_MESSAGES, items: ref('Message') },
      sentAt: time('When it was sent, by the client’s clock.'),
      writeKey: { type: 'string' },
      context: { type: 'object', description: 'True of all messages; what one says itself takes precedence over it.' },
      batchId: { type: 'string', description: 'Id of a sealed batch: a retry carries the same id and messages.' },
      ledger: {
        type: 'object',
        description: 'The browser’s own count of what became of its messages.',
        properties: {
          captured: count,
          sent: count,
          acknowledged: count,
          dropped: { type: 'object', additionalProperties: count },
        },
      },
    },
  },
  Rejection: {
    type: 'object',
    required: ['messageId', 'index', 'code', 'reason'],
    properties: {
      messageId: { type: ['string', 'null'] },
      index: { ...count, description: 'Position in the batch, from 0.' },
      code: { enum: Object.keys(REJECTION_CODES) },
      reason: { type: 'string', description: 'What was wrong, where, and what to do.' },
      path: { type: 'string', description: 'Of what breaks the tracking plan: where, as JSONPath.' },
      schemaVersion: { type: 'string', description: 'The schema that counted; empty where there is none.' },
      problems: {
        type: 'array',
        description: 'Each thing that breaks the tracking plan, where there are several.',
        items: {
          type: 'object',
          required: ['path', 'reason'],
          properties: { path: { type: 'string' }, reason: { type: 'string' } },
        },
      },
    },
  },
  BatchAnswer: {
    type: 'object',
    required: ['success', 'accepted', 'rejected'],
    properties: {
      success: { const: true },
      accepted: { ...count, description: 'Messages that are stored.' },
      rejected: { type: 'array', items: ref('Rejection') },
      dropped: {
        type: 'object',
        additionalProperties: false,
        properties: { gpc: count, dnt: count },
        description:
          'Messages that are not stored, because the site honours a privacy signal of the request. Not to be sent again.',
      },
      moreRejected: { ...count, description: 'How many more were rejected than are named, if there are very many.' },
      violations: {
        type: 'array',
        items: ref('Rejection'),
        description: 'Messages that are stored although they break the tracking plan, whose mode is `warn`.',
      },
      moreViolations: { ...count, description: 'How many more there are than are named.' },
      position: { ...count, description: 'Place in the stream, when all were of one visitor: `after` of `/v1/slots`.' },
    },
  },
  SlotsRequest: {
    type: 'object',
    required: ['slots'],
    anyOf: [{ required: ['anonymousId'] }, { required: ['userId'] }],
    properties: {
      anonymousId: { type: ['string', 'null'], maxLength: MAX_NAME_LENGTH },
      userId: { type: ['string', 'null'], maxLength: MAX_NAME_LENGTH },
      signature: {
        type: ['string', 'null'],
        description: 'HMAC-SHA256 of `userId` by the site’s `identitySecret`, in lower-case hex.',
      },
      slots: {
        type: 'array',
        minItems: 1,
        maxItems: MAX_SLOTS,
        items: {
          type: 'object',
          required: ['id'],
          properties: {
            id: { type: 'string', minLength: 1, maxLength: MAX_NAME_LENGTH },
            count: { type: 'integer', minimum: 1, maximum: MAX_ITEMS },
          },
        },
      },
      batch: {
        type: ['array', 'null'],
        items: ref('Message'),
        description: 'Messages not sent yet; they count in the answer.',
      },
      sentAt: time('When `batch` was sent, by the client’s clock.'),
      batches: {
        type: ['array', 'null'],
        maxItems: MAX_SLOTS_BATCHES,
        items: ref('Batch'),
        description: 'Sealed batches not acknowledged yet.',
      },
      after: { ...count, description: 'Highest `position` received: the answer waits until it counts.' },
      context: { type: ['object', 'null'], description: '`sessionId`, `pageViewId`, `page`: kept with the decision.' },
      preview: {
        type: ['string', 'null'],
        description: 'Token of a preview link. Its decisions are recorded nowhere, and have no `decisionId`.',
      },
      explain: { type: 'boolean', description: 'Asks for `reason`; honoured for sites with `debug` on.' },
      writeKey: { type: 'string' },
    },
  },
  SlotDecision: {
    type: 'object',
    required: ['slotId', 'decisionId', 'outcome', 'items'],
    properties: {
      slotId: { type: 'string' },
      decisionId: { type: 'string' },
      outcome: { enum: OUTCOMES, description: 'All but `served` come without items.' },
      items: {
        type: 'array',
        items: {
          type: 'object',
          required: ['contentId', 'position', 'payload'],
          properties: {
            contentId: { type: 'string' },
            position: { type: 'integer', minimum: 1 },
            payload: { type: 'object' },
          },
        },
      },
      ages: {
        type: 'object',
        additionalProperties: count,
        description: 'Age of each feature that the policy chose by, in milliseconds; absent where it asks for none.',
      },
      reason: {
        type: 'object',
        description: 'Policy, propensities, candidates, exclusions and affinities, if asked for.',
      },
    },
  },
  SlotsAnswer: {
    type: 'object',
    required: ['decisions'],
    properties: {
      decisions: { type: 'array', items: ref('SlotDecision') },
      batches: {
        type: 'array',
        description: 'One for each of the request’s `batches`: what became of it, or why it was not stored.',
        items: { anyOf: [ref('BatchAnswer'), ref('NotStored')] },
      },
      position: count,
    },
  },
  NotStored: {
    type: 'object',
    required: ['success', 'error'],
    properties: { success: { const: false }, error: { type: 'object' } },
  },
}
