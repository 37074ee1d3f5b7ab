import { body, failures, inQuery, ok, type Part, type Paths } from '../openapi/operations.js'

const LIST: Part = { type: 'array', items: { type: 'object' } }
const COUNTS: Part = {
  type: 'object',
  required: ['total', 'good', 'bad', 'forgotten'],
  additionalProperties: { type: 'integer', minimum: 0 },
}
const reset: Part = {
  summary: 'Forget all that came and was set',
  tags: ['micro'],
  responses: ok('Nothing is left.', COUNTS),
}

/** Fields by which the good messages can be asked for: `/micro/good?event=Product Viewed&type=track`. */
export const FILTERS = ['type', 'event', 'messageId', 'anonymousId', 'userId'] as const

/** Paths below `/micro`. */
export const MICRO_PATHS: Paths = {
  '/micro/all': {
    get: { summary: 'How many there are', tags: ['micro'], responses: ok('Counts.', COUNTS) },
  },
  '/micro/good': {
    get: {
      summary: 'Accepted messages in the order in which they came',
      tags: ['micro'],
      parameters: FILTERS.map(field => inQuery(field, 'Only messages in which it is this.')),
      responses: ok('As they would be stored.', LIST),
    },
  },
  '/micro/bad': {
    get: {
      summary: 'Rejected messages, and requests that were rejected as a whole',
      tags: ['micro'],
      responses: ok('Each with its reason.', LIST),
    },
  },
  '/micro/slots': {
    put: {
      summary: 'Say what slots are answered, until the next reset',
      tags: ['micro'],
      ...body({ type: 'object' }, 'By slot: a list of `{contentId?, category?, payload}`, or an outcome.'),
      responses: {
        ...ok('The slots.', { type: 'object' }),
        ...failures('malformed', 'too_large', 'unsupported_media_type'),
      },
    },
  },
  '/micro/reset': { get: reset, post: reset },
}
