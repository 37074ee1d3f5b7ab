import { failures, file, inPath, inQueryAlways, ok, type Part, type Paths } from './operations.js'

const ANY_OBJECT: Part = { type: 'object' }

/** Answer with a site's public features: declared ones, and built-in ones, which may have aggregates of their own. */
const FEATURES: Part = {
  type: 'object',
  required: ['revision', 'features'],
  properties: {
    revision: { type: 'integer', minimum: 0, description: 'Of the site’s features; 0: it declares none.' },
    features: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'source', 'aggregate'],
        properties: { name: { type: 'string' }, source: { type: 'object' }, aggregate: { type: 'string' } },
      },
    },
  },
}

/** Paths without authentication, besides those that take messages. */
export const PUBLIC_PATHS: Paths = {
  '/v1/features': {
    get: {
      summary: 'Features of sessions that pages count by themselves',
      tags: ['messages'],
      parameters: [inQueryAlways('writeKey', 'Write key of a site.')],
      responses: {
        ...ok('Definitions of what is public.', FEATURES),
        ...failures('unknown_key', 'origin_not_allowed', 'unavailable'),
      },
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
  '/analytics.js/v1/{writeKey}/analytics.min.js': {
    get: {
      summary: 'The SDK’s bundle where Segment’s snippet finds its library, under Segment’s names',
      tags: ['files'],
      parameters: [inPath('writeKey', 'Write key of a site.')],
      responses: { ...file('The script.', 'text/javascript'), ...failures('unknown_key', 'not_found') },
    },
  },
  '/analytics.js/v1/{writeKey}/sdk/{file}': {
    get: {
      summary: 'A part that this bundle loads when it is switched on',
      tags: ['files'],
      parameters: [
        inPath('writeKey', 'Write key of a site.'),
        inPath('file', 'Name of the part, such as `web-vitals.js`.'),
      ],
      responses: { ...file('The script.', 'text/javascript'), ...failures('not_found') },
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
