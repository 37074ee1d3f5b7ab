import { MAX_SIGNALS, MAX_WEBHOOK_URL_BYTES, MAX_WEBHOOKS } from '@slotstream/protocol'
import { adminOperation, body, inPath, json, ok, type Part, type Paths } from './operations.js'

const SITE = inPath('siteId', 'Id of the site.')
const WEBHOOK = inPath('webhookId', 'Id that the declaration was answered with.')

const DECLARED: Part = {
  url: {
    type: 'string',
    maxLength: MAX_WEBHOOK_URL_BYTES,
    description: 'With `https://`, at a public host, without user and fragment.',
  },
  signals: {
    type: 'array',
    maxItems: MAX_SIGNALS,
    items: { type: 'string' },
    description: 'Names of the signals that it gets. Empty or left out: all.',
  },
}

const SHOWN: Part = {
  type: 'object',
  required: ['id', 'url', 'signals', 'createdAt'],
  properties: { id: { type: 'string' }, ...DECLARED, createdAt: { type: 'string' } },
}

const DELIVERY: Part = {
  type: 'object',
  required: ['deliveryId', 'signalId', 'signal', 'state', 'attempts', 'status', 'error', 'at'],
  properties: {
    deliveryId: { type: 'string', description: 'The header `webhook-id`.' },
    signalId: { type: 'string' },
    signal: { type: 'string' },
    state: { enum: ['pending', 'delivered', 'dead'] },
    attempts: { type: 'integer', minimum: 0 },
    status: { type: ['integer', 'null'], description: 'HTTP status of the last attempt; null: there was no answer.' },
    error: { type: ['string', 'null'], description: 'Why the last attempt failed; null: it did not.' },
    at: { type: 'string', description: 'When the last attempt ended.' },
    nextAt: { type: 'string', description: 'When it is tried next.' },
  },
}

const REPLAYED: Part = {
  type: 'object',
  required: ['replayed', 'left'],
  properties: {
    replayed: { type: 'integer', description: 'Signals that are delivered again.' },
    left: { type: 'integer', description: 'Dead letters for which there was no room: replay once more.' },
  },
}

/** Paths of webhooks. */
export const WEBHOOK_PATHS: Paths = {
  '/v1/admin/sites/{siteId}/webhooks': {
    parameters: [SITE],
    get: adminOperation(
      'The webhooks of a site',
      {},
      ok('The oldest first, without their secrets.', {
        type: 'object',
        required: ['webhooks'],
        properties: { webhooks: { type: 'array', maxItems: MAX_WEBHOOKS, items: SHOWN } },
      }),
    ),
    post: adminOperation(
      'Declare a webhook, which gets each signal from now on',
      body({ type: 'object', required: ['url'], properties: DECLARED }, 'Unknown fields are rejected.'),
      ok('With its secret, which is not shown again.', {
        ...SHOWN,
        required: [...(SHOWN.required as string[]), 'secret'],
        properties: { ...(SHOWN.properties as Part), secret: { type: 'string', description: '`whsec_` and Base64.' } },
      }),
    ),
  },
  '/v1/admin/sites/{siteId}/webhooks/{webhookId}': {
    parameters: [SITE, WEBHOOK],
    delete: adminOperation(
      'Delete a webhook, with what waits for it and its dead letters',
      {},
      ok('It is gone.', { type: 'object', properties: { deleted: { const: true } } }),
    ),
  },
  '/v1/admin/sites/{siteId}/webhooks/{webhookId}/deliveries': {
    parameters: [SITE, WEBHOOK],
    get: adminOperation(
      'What became of the latest signals',
      {},
      ok('The newest first: those that wait, the latest that ended, and dead letters.', {
        type: 'object',
        required: ['deliveries'],
        properties: { deliveries: { type: 'array', items: DELIVERY } },
      }),
    ),
  },
  '/v1/admin/sites/{siteId}/webhooks/{webhookId}/replay': {
    parameters: [SITE, WEBHOOK],
    post: adminOperation(
      'Deliver dead letters again, or one signal',
      {
        requestBody: {
          required: false,
          description: 'Without a body: all dead letters, as far as there is room.',
          ...json({
            type: 'object',
            properties: { signalId: { type: 'string', description: 'A dead letter, or one of the latest signals.' } },
          }),
        },
      },
      ok('How many.', REPLAYED),
    ),
  },
}
