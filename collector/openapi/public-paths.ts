import { MESSAGE_TYPES } from '@slotstream/protocol'
import { failures, file, inPath, messageBody, ok, type Part, type Paths, ref } from './operations.js'

const WITH_WRITE_KEY = [{ writeKeyAsUser: [] }, { writeKeyInQuery: [] }, {}]
const ANY_OBJECT: Part = { type: 'object' }

/** What can go wrong wherever a write key is sent. */
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
    ...messageBody(ref(schema), 'May be compressed with gzip or deflate. `writeKey` may stand in it.'),
    responses: { ...ok('Every accepted message is stored; the others are named.', ref(answer)), ...refusals },
  },
})

/** Where a whole request can be for secret keys only. */
const PERSONAL_REFUSALS = {
  ...REFUSALS,
  ...failures('origin_not_allowed', 'secret_key_in_page', 'secret_key_required'),
}

const batch = taking('Send many messages', 'Batch', 'BatchAnswer')

/** Paths that anybody may call. */
export const PUBLIC_PATHS: Paths = {
  '/v1/batch': batch,
  '/v1/b': batch,
  ...Object.fromEntries(
    MESSAGE_TYPES.flatMap(type => {
      const path = taking(`Send one \`${type}\` message`, 'SingleMessage', 'BatchAnswer', PERSONAL_REFUSALS)
      return [
        [`/v1/${type}`, path],
        [`/v1/${type[0]}`, path],
      ]
    }),
  ),
  '/v1/slots': {
    post: {
      summary: 'Ask for the content of slots',
      tags: ['slots'],
      security: WITH_WRITE_KEY,
      ...messageBody(ref('SlotsRequest'), 'Messages that come along are stored first and count in the answer.'),
      responses: { ...ok('One decision for each slot.', ref('SlotsAnswer')), ...PERSONAL_REFUSALS },
    },
  },
  '/v1/projects/{writeKey}/settings': {
    get: {
      summary: 'What Segment’s browser library asks its CDN for',
      tags: ['messages'],
      parameters: [inPath('writeKey', 'Write key of a site.')],
      responses: { ...ok('The library’s settings.', ANY_OBJECT), ...failures('unknown_key') },
    },
  },
  '/sdk.js': {
    get: {
      summary: 'The SDK’s bundle for script tags',
      tags: ['files'],
      responses: { ...file('The script.', 'text/javascript'), ...failures('not_found') },
    },
  },
  '/sdk/{file}': {
    get: {
      summary: 'A part that the SDK loads when it is switched on',
      tags: ['files'],
      parameters: [inPath('file', 'Name of the part, such as `web-vitals.js`.')],
      responses: { ...file('The script.', 'text/javascript'), ...failures('not_found') },
    },
  },
  '/healthz': {
    get: { summary: 'Whether the process lives', tags: ['operation'], responses: ok('It does.', ANY_OBJECT) },
  },
  '/readyz': {
    get: {
      summary: 'Whether it can do its work',
      tags: ['operation'],
      responses: { ...ok('It can.', ANY_OBJECT), 503: { description: 'Not now; `for` names what is missing.' } },
    },
  },
  '/metrics': {
    get: {
      summary: 'Metrics for Prometheus: for this machine, networks of one’s own, and the admin token',
      tags: ['operation'],
      responses: { ...file('The metrics.', 'text/plain'), ...failures('unauthorized', 'rate_limited') },
    },
  },
  '/openapi.json': {
    get: { summary: 'This description', tags: ['operation'], responses: ok('The description.', ANY_OBJECT) },
  },
  '/': {
    get: {
      summary: 'The demo shop, or where there is none, what this is',
      tags: ['files'],
      responses: { ...ok('Name and routes.', ANY_OBJECT), 302: { description: 'To `/demo/`.' } },
    },
  },
}
