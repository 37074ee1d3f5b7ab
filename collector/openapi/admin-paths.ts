import { DEFAULT_VALUE_CHANGES, MAX_REPLAYED, MAX_VALUE_CHANGES, PLAN_MODES } from '@slotstream/protocol'
import { CATALOG_PATHS } from './catalog/paths.js'
import { DECISION_PATHS } from './decisions/paths.js'
import { DEFINITION_PATHS } from './definition-paths.js'
import { EXPERIMENT_PATHS } from './experiments/paths.js'
import { adminOperation, body, inPath, ok, type Part, type Paths, ref } from './operations.js'
import { PEOPLE_PATHS } from './people-paths.js'
import { PREVIEW_PATHS } from './preview-paths.js'
import { WEBHOOK_PATHS } from './webhook-paths.js'

const SITE = inPath('siteId', 'Id of the site.')
const DELETED: Part = { type: 'object', properties: { deleted: { const: true } } }

/** Paths below `/v1/admin`. */
export const ADMIN_PATHS: Paths = {
  '/v1/admin/pipeline': {
    get: adminOperation(
      'How all processes, streams and tables are',
      {},
      ok('Status and warnings.', { type: 'object' }),
    ),
  },
  '/v1/admin/sites': {
    get: adminOperation(
      'All sites',
      {},
      ok('They are listed by id.', {
        type: 'object',
        required: ['sites'],
        properties: { sites: { type: 'array', items: ref('Site') } },
      }),
    ),
  },
  '/v1/admin/sites/{siteId}': {
    parameters: [SITE],
    put: adminOperation(
      'Add or replace a site',
      body(ref('Site'), 'Its id is in the path.'),
      ok('As stored.', ref('Site')),
    ),
    patch: adminOperation(
      'Change fields of a site',
      body({ type: 'object' }, 'As for PUT. What is not named stays; null is the default.'),
      ok('As stored.', ref('Site')),
    ),
    delete: adminOperation('Delete a site with its catalog', {}, ok('It is gone.', DELETED)),
  },
  '/v1/admin/sites/{siteId}/profiles/{visitorId}': {
    parameters: [SITE, inPath('visitorId', '`anonymousId` of a browser, or `user:` and the id of a person.')],
    get: adminOperation('A profile', {}, ok('With all that is applied by now.', ref('Profile'))),
  },
  '/v1/admin/sites/{siteId}/profiles/{visitorId}/history': {
    parameters: [SITE, inPath('visitorId', '`anonymousId` of a browser, or `user:` and the id of a person.')],
    get: adminOperation(
      'Which messages changed a value',
      {
        parameters: [
          { name: 'feature', in: 'query', required: true, schema: { type: 'string' } },
          {
            name: 'limit',
            in: 'query',
            schema: { type: 'integer', minimum: 1, maximum: MAX_VALUE_CHANGES, default: DEFAULT_VALUE_CHANGES },
          },
        ],
      },
      ok('The newest first.', {
        type: 'object',
        properties: {
          feature: { type: 'string' },
          version: { type: 'string' },
          hasMore: { type: 'boolean' },
          since: {
            type: 'integer',
            description: 'Position of the first message that was looked at. Absent: all were.',
          },
          changes: {
            type: 'array',
            items: {
              type: 'object',
              required: ['at', 'messageId', 'type', 'position', 'from', 'to'],
              properties: {
                at: { type: 'string', format: 'date-time' },
                messageId: { type: 'string' },
                type: { type: 'string' },
                event: { type: 'string' },
                anonymousId: { type: 'string' },
                userId: { type: 'string' },
                position: { type: 'integer' },
                from: { description: 'Of values by key, the keys that it changed.' },
                to: { description: 'Likewise.' },
              },
            },
          },
        },
      }),
    ),
  },
  '/v1/admin/sites/{siteId}/profiles:batch': {
    parameters: [SITE],
    post: adminOperation(
      'Many profiles at once',
      body(
        {
          type: 'object',
          required: ['visitors'],
          properties: { visitors: { type: 'array', maxItems: 100, items: { type: 'string' } } },
        },
        'Ids as in the path of a single profile.',
      ),
      ok('In the order of the ids; null: there is no profile.', {
        type: 'object',
        properties: { profiles: { type: 'array', items: { anyOf: [ref('Profile'), { type: 'null' }] } } },
      }),
    ),
  },
  '/v1/admin/sites/{siteId}/plan': {
    parameters: [SITE],
    get: adminOperation('The tracking plan', {}, ok('With its revision.', ref('TrackingPlan'))),
    put: adminOperation(
      'Replace the tracking plan',
      body(ref('TrackingPlan'), 'What is not named but `schemas` stays.'),
      ok('As stored.', ref('TrackingPlan')),
    ),
    delete: adminOperation('Delete the tracking plan', {}, ok('It is gone.', DELETED)),
  },
  '/v1/admin/sites/{siteId}/plan/mode': {
    parameters: [SITE],
    put: adminOperation(
      'Change the mode of the tracking plan, and what unplanned events are',
      body(
        {
          type: 'object',
          properties: {
            mode: { enum: PLAN_MODES },
            unplanned: { enum: ['allow', 'violation'] },
            revision: { type: 'integer' },
          },
        },
        'What is not named stays.',
      ),
      ok('The plan as stored.', ref('TrackingPlan')),
    ),
  },
  '/v1/admin/sites/{siteId}/rejected/replay': {
    parameters: [SITE],
    post: adminOperation(
      'Take rejected messages once more, as they came',
      body(
        {
          type: 'object',
          required: ['messages'],
          properties: {
            dryRun: { type: 'boolean', default: false, description: 'Say what would be stored, and store nothing.' },
            messages: {
              type: 'array',
              maxItems: MAX_REPLAYED,
              items: {
                type: 'object',
                required: ['message', 'receivedAt'],
                properties: {
                  message: ref('Message'),
                  receivedAt: { type: 'string' },
                  sender: { enum: ['public', 'secret'], default: 'public', description: 'Kind of its key.' },
                  sentAt: { type: ['string', 'null'] },
                  userAgent: { type: ['string', 'null'] },
                },
              },
            },
          },
        },
        'Each message needs a `messageId`.',
      ),
      ok('How many are stored, and which are still invalid.', {
        type: 'object',
        required: ['accepted', 'rejected'],
        properties: { accepted: { type: 'integer' }, rejected: { type: 'array', items: ref('Rejection') } },
      }),
    ),
  },
  '/v1/admin/sites/{siteId}/decisions/import': {
    parameters: [SITE],
    post: adminOperation(
      'Import decisions of another system with their logged propensities',
      body(
        { type: 'object', required: ['decisions'], properties: { decisions: { type: 'array' } } },
        'At most 5 MB; their times are kept.',
      ),
      ok('How many are stored, and which are not.', {
        type: 'object',
        properties: { imported: { type: 'integer' }, rejected: { type: 'array', items: { type: 'object' } } },
      }),
    ),
  },
  ...CATALOG_PATHS,
  ...DECISION_PATHS,
  ...DEFINITION_PATHS,
  ...EXPERIMENT_PATHS,
  ...PEOPLE_PATHS,
  ...WEBHOOK_PATHS,
  ...PREVIEW_PATHS,
}
