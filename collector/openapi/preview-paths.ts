import { DEFAULT_PREVIEW_VALIDITY, MAX_PREVIEW_VALIDITY, MAX_SLOTS, PREVIEW_PARAMETER } from '@slotstream/protocol'
import { adminOperation, body, inPath, ok, type Paths } from './operations.js'

/** Paths of preview links. */
export const PREVIEW_PATHS: Paths = {
  '/v1/admin/sites/{siteId}/preview-links': {
    parameters: [inPath('siteId', 'Id of the site.')],
    post: adminOperation(
      'Make a link that shows pages as a visitor sees them, or with chosen content',
      body(
        {
          type: 'object',
          anyOf: [{ required: ['as'] }, { required: ['show'] }],
          properties: {
            url: { type: 'string', description: 'Page that the link leads to.' },
            as: {
              type: 'object',
              minProperties: 1,
              description: 'The visitor as whom slots are decided.',
              properties: { anonymousId: { type: 'string' }, userId: { type: 'string' } },
            },
            show: {
              type: 'object',
              maxProperties: MAX_SLOTS,
              description: 'Ids of the contents that slots show, by id of the slot.',
              additionalProperties: { type: 'array', items: { type: 'string' } },
            },
            expiresIn: {
              type: 'string',
              default: DEFAULT_PREVIEW_VALIDITY,
              description: `Duration for which it is valid, at most ${MAX_PREVIEW_VALIDITY}.`,
            },
          },
        },
        'Unknown fields are rejected.',
      ),
      ok('The token, and the URL with it.', {
        type: 'object',
        required: ['token', 'expiresAt'],
        properties: {
          token: { type: 'string', description: `Value of the parameter \`${PREVIEW_PARAMETER}\` of any page.` },
          expiresAt: { type: 'string' },
          url: { type: 'string' },
        },
      }),
    ),
  },
}
