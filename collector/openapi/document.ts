import { VERSION } from '@slotstream/runtime'
import { CATALOG_SCHEMAS } from './catalog-schemas.js'
import { DECISION_SCHEMAS } from './decisions/paths.js'
import { DEFINITION_SCHEMAS } from './definition-schemas.js'
import { EXPERIMENT_SCHEMAS } from './experiments/schemas.js'
import { MESSAGE_SCHEMAS } from './message-schemas.js'
import type { Part, Paths } from './operations.js'
import { PUBLIC_PATHS } from './public-paths.js'

const ERROR_SCHEMA: Part = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { type: 'string' },
        message: { type: 'string' },
        details: { type: 'array', items: { type: 'string' }, description: 'One line for each thing that is wrong.' },
      },
    },
  },
}

/**
 * Returns the description of the HTTP API, OpenAPI 3.1.
 *
 * @param routes those that take a write key
 * @param more other routers' paths
 */
export function openApiDocument(routes: readonly { path: string; described: Part }[], more: Paths): Part {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Slotstream',
      version: VERSION,
      summary: 'Takes messages as Segment’s HTTP API does, and answers which content a slot is to show.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths: { ...Object.fromEntries(routes.map(({ path, described }) => [path, described])), ...PUBLIC_PATHS, ...more },
    components: {
      schemas: {
        ...MESSAGE_SCHEMAS,
        ...CATALOG_SCHEMAS,
        ...DECISION_SCHEMAS,
        ...DEFINITION_SCHEMAS,
        ...EXPERIMENT_SCHEMAS,
        Error: ERROR_SCHEMA,
      },
      securitySchemes: {
        writeKeyAsUser: { type: 'http', scheme: 'basic', description: 'The write key as user name, no password.' },
        writeKeyInQuery: { type: 'apiKey', in: 'query', name: 'writeKey' },
        adminToken: { type: 'http', scheme: 'bearer' },
      },
    },
  }
}
