import { adminOperation, body, file, inPath, inQuery, json, ok, type Part, type Paths } from './operations.js'

const operation = (summary: string, rest: Part, answer: Part): Part =>
  adminOperation(summary, rest, answer, ['malformed', 'unauthorized', 'not_found', 'unavailable'])

const AS = {
  parameters: [
    inQuery('as', '`userId` or `anonymousId`: the kind of the id. Without it, whatever has it, of either kind.'),
  ],
}

const JOB: Part = {
  type: 'object',
  required: ['jobId', 'siteId', 'person', 'state', 'progress', 'step', 'before', 'createdAt', 'report'],
  properties: {
    jobId: { type: 'string' },
    siteId: { type: 'string' },
    person: { type: 'string', description: 'Keyed hash of the id.' },
    state: { enum: ['running', 'done', 'failed'] },
    progress: { type: 'number', minimum: 0, maximum: 1 },
    step: { type: 'string', description: 'What is being done, or waited for.' },
    before: { type: 'string', description: 'Whatever is from then or before is deleted.' },
    createdAt: { type: 'string' },
    finishedAt: { type: 'string' },
    error: { type: 'string' },
    otherTables: {
      type: 'array',
      items: { type: 'string' },
      description: 'Tables of your own in the database, which are to be rebuilt.',
    },
    report: {
      type: 'object',
      description: 'Rows, messages or profiles removed, by place.',
      additionalProperties: { type: 'integer' },
    },
  },
}

const MERGE: Part = {
  type: 'object',
  required: ['mergeId', 'browser', 'userId', 'cause', 'at', 'state'],
  properties: {
    mergeId: { type: 'string' },
    browser: { type: 'string', description: 'Its `anonymousId`.' },
    userId: { type: 'string' },
    cause: {
      type: 'string',
      description:
        'Type of the first message of a join, name of the guard that holds it back, or what a decision said.',
    },
    at: { type: 'string', description: 'When the state began.' },
    state: { enum: ['joined', 'held', 'undone'] },
  },
}

const CAUSE: Part = { type: 'string', maxLength: 256, description: 'Why. Default `administrator`.' }

/** Paths of the merges of browsers and users. */
const MERGE_PATHS: Paths = {
  '/v1/admin/sites/{siteId}/people/{id}/merges': {
    parameters: [inPath('siteId', 'Id of the site.'), inPath('id', 'A `userId`, an `anonymousId`, or a person’s id.')],
    get: operation(
      'Which browsers and users are one person, and which are kept apart',
      AS,
      ok('By the time when the state began.', {
        type: 'object',
        required: ['merges'],
        properties: { merges: { type: 'array', items: MERGE } },
      }),
    ),
  },
  '/v1/admin/sites/{siteId}/people/{id}/merges/{mergeId}': {
    parameters: [
      inPath('siteId', 'Id of the site.'),
      inPath('id', 'A `userId`, an `anonymousId`, or a person’s id.'),
      inPath('mergeId', 'One that `…/merges` lists.'),
    ],
    delete: operation(
      'Undo a merge: both sides are as if they had never joined, whatever messages say later',
      {
        ...AS,
        requestBody: {
          required: false,
          ...json({ type: 'object', properties: { cause: CAUSE } }),
        },
      },
      ok('As decided.', MERGE),
    ),
    put: operation(
      'Allow a merge that was undone or held back',
      {
        ...AS,
        ...body(
          { type: 'object', required: ['state'], properties: { state: { const: 'joined' }, cause: CAUSE } },
          'The state that it is to have.',
        ),
      },
      ok('As decided.', MERGE),
    ),
  },
}

/** Paths of the rights of a person. */
export const PEOPLE_PATHS: Paths = {
  '/v1/admin/sites/{siteId}/people/{id}': {
    parameters: [inPath('siteId', 'Id of the site.'), inPath('id', 'A `userId` or an `anonymousId`.')],
    get: operation(
      'Everything that is kept about a person',
      AS,
      file('A line of JSON for each thing: `{"place", "value"}`.', 'application/x-ndjson'),
    ),
    delete: operation('Delete a person everywhere', AS, {
      202: {
        description: 'It has begun.',
        ...json({ type: 'object', required: ['jobId'], properties: { jobId: { type: 'string' } } }),
      },
    }),
  },
  ...MERGE_PATHS,
  '/v1/admin/jobs/{jobId}': {
    parameters: [inPath('jobId', 'Id of the job.')],
    get: operation('What has become of a deletion', {}, ok('Its state.', JOB)),
  },
}
