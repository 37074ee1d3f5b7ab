import type { MessageType } from '@slotstream/protocol'
import { failures, inQuery, messageBody, ok, type Part, ref } from './operations.js'

const WITH_WRITE_KEY = [{ writeKeyAsUser: [] }, { writeKeyInQuery: [] }, {}]

/** Errors of all routes with a write key. */
const REFUSALS = failures(
  'malformed',
  'unknown_key',
  'origin_not_allowed',
  'secret_key_in_page',
  'method_not_allowed',
  'request_timeout',
  'too_large',
  'unsupported_media_type',
  'rate_limited',
  'unavailable',
)

const taking = (summary: string, schema: string, answer: string, refusals = REFUSALS): Part => ({
  post: {
    summary,
    tags: ['messages'],
    security: WITH_WRITE_KEY,
    ...messageBody(ref(schema), 'May be compressed with gzip or deflate. `writeKey` may be in it.'),
    responses: { ...ok('Every accepted message is stored; the others are named.', ref(answer)), ...refusals },
  },
})

/** Where a whole request can be for secret keys only. */
const PERSONAL_REFUSALS = {
  ...REFUSALS,
  ...failures('origin_not_allowed', 'secret_key_in_page', 'secret_key_required'),
}

const SLOTS_REFUSALS = {
  ...REFUSALS,
  ...failures('origin_not_allowed', 'secret_key_in_page', 'secret_key_required', 'preview_ended'),
}

/** Describes the route of a batch. */
export const describeBatch = (): Part => taking('Send many messages', 'Batch', 'BatchAnswer')

/** Describes the route of single messages of a type. */
export const describeSingle = (type: MessageType): Part =>
  taking(`Send one \`${type}\` message`, 'SingleMessage', 'BatchAnswer', PERSONAL_REFUSALS)

/** Describes the route of a pixel of a type. */
export const describePixel = (type: MessageType): Part => ({
  get: {
    summary: `Send one \`${type}\` message as an image, from a mail or a page without scripts`,
    tags: ['messages'],
    parameters: [
      inQuery('data', 'A message as JSON in Base64; `writeKey` may be in it.'),
      inQuery('writeKey', 'Write key of a site.'),
    ],
    responses: {
      200: {
        description: 'A transparent pixel, whatever became of the message.',
        headers: {
          'X-Slotstream-Rejected': { description: 'Code of what was wrong, if anything.', schema: { type: 'string' } },
        },
        content: { 'image/gif': { schema: { type: 'string', format: 'binary' } } },
      },
    },
  },
})

/** Describes the route of slot requests. */
export const describeSlots = (): Part => ({
  post: {
    summary: 'Ask for the content of slots',
    tags: ['slots'],
    security: WITH_WRITE_KEY,
    ...messageBody(ref('SlotsRequest'), 'Messages that come along are stored first and are in effect in the answer.'),
    responses: { ...ok('One decision for each slot.', ref('SlotsAnswer')), ...SLOTS_REFUSALS },
  },
})
