import { adminOperation, body, inPath, inQuery, ok, type Part, type Paths, ref } from './operations.js'

const SITE = inPath('siteId', 'Id of the site.')

const REVISIONS: Part = {
  type: 'array',
  items: {
    type: 'object',
    required: ['revision', 'at'],
    properties: { revision: { type: 'integer' }, at: { type: 'string', description: 'When it was stored.' } },
  },
}

const REVISION: Part = { type: 'object', required: ['revision'], properties: { revision: { type: 'integer' } } }

const BUILT_IN = { parameters: [inQuery('builtin', '`1`: with the built-in ones that are in use.')] }

const EXPLAINED: Part = {
  type: 'object',
  required: ['text'],
  properties: { text: { type: 'string' } },
}

const EXPLANATION: Part = {
  type: 'object',
  required: ['name', 'evaluated', 'freshness', 'state', 'cost'],
  properties: {
    name: { type: 'string' },
    builtin: { const: true, description: 'Absent: the site declares it.' },
    filling: { const: true, description: 'The history of the feature is being counted. Absent: it is not.' },
    evaluated: {
      enum: ['request', 'stream'],
      description: 'With the message or the request, or by a timer and later messages.',
    },
    freshness: { ...EXPLAINED, required: ['seconds', 'text'] },
    state: EXPLAINED,
    cost: EXPLAINED,
  },
}

/** Returns the paths of one kind of definitions. */
function pathsOf(kind: string, schema: string): Paths {
  const path = `/v1/admin/sites/{siteId}/${kind}`
  return {
    [path]: {
      parameters: [SITE],
      get: adminOperation(
        `The ${kind} of a site`,
        kind === 'segments' ? {} : BUILT_IN,
        ok('With their revision.', ref(schema)),
      ),
      put: adminOperation(
        `Replace the ${kind} of a site`,
        body(ref(schema), 'The whole set. One that equals the stored one keeps its revision.'),
        ok('As stored.', ref(schema)),
      ),
    },
    [`${path}/{name}/explain`]: {
      parameters: [SITE, inPath('name', 'Name of one that is in effect, built-in ones among them.')],
      get: adminOperation(
        `Where one of the ${kind} is evaluated, how fresh it is, what it keeps and what it costs`,
        {},
        ok('As it is now.', EXPLANATION),
      ),
    },
    [`${path}/history`]: {
      parameters: [SITE],
      get: adminOperation(`The revisions of the ${kind} that are kept`, {}, ok('The newest first.', REVISIONS)),
    },
    [`${path}/history/{revision}`]: {
      parameters: [SITE, inPath('revision', 'One that the history lists.')],
      get: adminOperation(`An earlier revision of the ${kind}`, {}, ok('As it was stored.', ref(schema))),
    },
    [`${path}/rollback`]: {
      parameters: [SITE],
      post: adminOperation(
        `Store an earlier revision of the ${kind} once more`,
        body(REVISION, 'One that the history lists.'),
        ok('As stored, with a new revision.', ref(schema)),
      ),
    },
  }
}

const PREVIEW: Part = {
  type: 'object',
  required: ['size', 'in', 'nearest'],
  properties: {
    size: { type: 'integer', minimum: 0 },
    in: { type: 'array', maxItems: 10, items: { type: 'string' }, description: 'Ids of persons, the first ones.' },
    nearest: {
      type: 'array',
      maxItems: 10,
      description: 'Those of the others who miss the fewest clauses.',
      items: {
        type: 'object',
        required: ['id', 'misses'],
        properties: { id: { type: 'string' }, misses: { type: 'array', items: { type: 'string' } } },
      },
    },
  },
}

/** Paths of what an administrator declares about profiles. */
export const DEFINITION_PATHS: Paths = {
  ...pathsOf('features', 'FeatureSet'),
  ...pathsOf('patterns', 'PatternSet'),
  ...pathsOf('segments', 'SegmentSet'),
  '/v1/admin/sites/{siteId}/segments/preview': {
    parameters: [SITE],
    post: adminOperation(
      'Who would be in a segment now',
      body(
        { type: 'object', required: ['where'], properties: { where: { type: 'object' } } },
        'The condition of a segment, which need not be stored.',
      ),
      ok('How many persons, ten of them, and the ten nearest of the others.', PREVIEW),
    ),
  },
  '/v1/admin/sites/{siteId}/content/{id}/features': {
    parameters: [SITE, inPath('id', 'A content.')],
    get: adminOperation(
      'The features of a content',
      {},
      ok('By name. Messages count within two seconds.', ref('ContentFeatures')),
    ),
  },
}
