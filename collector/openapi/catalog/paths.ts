import { adminOperation, body, inPath, inQuery, ok, type Part, type Paths, ref } from '../operations.js'
import { WARNINGS } from './schemas.js'

const SITE = inPath('siteId', 'Id of the site.')
const DELETED: Part = { type: 'object', properties: { deleted: { const: true } } }
const REVISION: Part = { type: 'object', required: ['revision'], properties: { revision: { type: 'integer' } } }

const EXPECTED: Part = { type: 'integer', description: 'Revision of the catalog that the change is made to.' }
const WARNED: Part = { type: 'object', properties: { warnings: WARNINGS } }
const GONE: Part = { type: 'object', properties: { deleted: { const: true }, warnings: WARNINGS } }

/** Returns a slot or a content: put and delete. */
const entry = (what: string, schema: string): Part => ({
  parameters: [SITE, inPath('id', `Id of the ${what}.`)],
  put: adminOperation(
    `Add or change a ${what}`,
    body({ allOf: [ref(schema), { type: 'object', properties: { revision: EXPECTED } }] }, 'Its id is in the path.'),
    ok('As stored, with warnings.', ref(`Stored${schema}`)),
  ),
  delete: adminOperation(
    `Delete a ${what}`,
    {
      parameters: [inQuery('revision', 'Revision of the catalog that the change is made to.')],
      requestBody: {
        description: 'May be left out; `revision` may be in it instead of the query.',
        content: { 'application/json': { schema: { type: 'object', properties: { revision: EXPECTED } } } },
      },
    },
    ok('It is gone.', GONE),
  ),
})

/** Paths of slots, content and their revisions. */
export const CATALOG_PATHS: Paths = {
  '/v1/admin/sites/{siteId}/catalog': {
    parameters: [SITE],
    get: adminOperation(
      'The whole catalog',
      { parameters: [inQuery('draft', '`1`: as it is once the draft is published; 404 without one.')] },
      ok('Slots and content, with their revision.', ref('Catalog')),
    ),
    post: adminOperation(
      'Add or change many slots and contents; all or none',
      body(ref('Catalog'), 'What is not named stays, unless `replace` is true.'),
      ok('How many of each the body had, and the revision in effect.', {
        type: 'object',
        required: ['revision', 'slots', 'content'],
        properties: {
          revision: { type: 'integer' },
          slots: { type: 'integer' },
          content: { type: 'integer' },
          warnings: WARNINGS,
        },
      }),
    ),
  },
  '/v1/admin/sites/{siteId}/catalog/draft': {
    parameters: [SITE],
    delete: adminOperation('Delete the draft', {}, ok('It is gone.', DELETED)),
  },
  '/v1/admin/sites/{siteId}/catalog/publish': {
    parameters: [SITE],
    post: adminOperation(
      'Publish the draft',
      {
        requestBody: {
          description: 'May be left out.',
          content: {
            'application/json': {
              schema: { type: 'object', properties: { revision: { type: 'integer' }, tests: ref('DecisionTests') } },
            },
          },
        },
      },
      ok('What it changed, with warnings.', { allOf: [ref('CatalogChange'), WARNED] }),
    ),
  },
  '/v1/admin/sites/{siteId}/catalog/history': {
    parameters: [SITE],
    get: adminOperation(
      'The revisions of the catalog that are kept',
      {},
      ok('The newest first.', { type: 'array', items: ref('CatalogRevision') }),
    ),
  },
  '/v1/admin/sites/{siteId}/catalog/history/{revision}': {
    parameters: [SITE, inPath('revision', 'One that the history lists.')],
    get: adminOperation('An earlier revision of the catalog', {}, ok('As it was.', ref('Catalog'))),
  },
  '/v1/admin/sites/{siteId}/catalog/rollback': {
    parameters: [SITE],
    post: adminOperation(
      'Store an earlier revision of the catalog once more',
      body(REVISION, 'One that the history lists.'),
      ok('What it changed, with warnings.', { allOf: [ref('CatalogChange'), WARNED] }),
    ),
  },
  '/v1/admin/sites/{siteId}/slots/{id}': entry('slot', 'Slot'),
  '/v1/admin/sites/{siteId}/content/{id}': entry('content', 'Content'),
}
