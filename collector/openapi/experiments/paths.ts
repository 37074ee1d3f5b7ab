import { adminOperation, body, inPath, inQuery, ok, type Part, type Paths, ref } from '../operations.js'

const SITE = inPath('siteId', 'Id of the site.')
const PATH = '/v1/admin/sites/{siteId}/experiments'

const REVISIONS: Part = {
  type: 'array',
  items: {
    type: 'object',
    required: ['revision', 'at'],
    properties: { revision: { type: 'integer' }, at: { type: 'string', description: 'When it was stored.' } },
  },
}

/** Paths of experiments. */
export const EXPERIMENT_PATHS: Paths = {
  '/v1/admin/sites/{siteId}/slots/{id}/results': {
    parameters: [SITE, inPath('id', 'Id of the slot.')],
    get: adminOperation(
      'What an experiment in a slot shows, or the slot against those held out',
      {
        parameters: [
          inQuery('from', 'ISO 8601. Default: 30 days before `to`'),
          inQuery('to', 'ISO 8601. Default: now'),
          inQuery('experiment', "Its id. Default: the slot's first one"),
        ],
      },
      ok('May be asked for as often as one likes: intervals hold at every look.', ref('SlotResults')),
    ),
  },
  [PATH]: {
    parameters: [SITE],
    get: adminOperation('The experiments of a site', {}, ok('With their revision.', ref('ExperimentSet'))),
    put: adminOperation(
      'Replace the experiments of a site',
      body(ref('ExperimentSet'), 'The whole set. One that equals the stored one keeps its revision.'),
      ok('As stored. Decisions are made by it within a second.', ref('ExperimentSet')),
    ),
  },
  [`${PATH}/history`]: {
    parameters: [SITE],
    get: adminOperation('The revisions of the experiments that are kept', {}, ok('The newest first.', REVISIONS)),
  },
  [`${PATH}/history/{revision}`]: {
    parameters: [SITE, inPath('revision', 'One that the history lists.')],
    get: adminOperation('Earlier experiments', {}, ok('As they were stored.', ref('ExperimentSet'))),
  },
  [`${PATH}/rollback`]: {
    parameters: [SITE],
    post: adminOperation(
      'Store an earlier revision of the experiments once more',
      body(
        { type: 'object', required: ['revision'], properties: { revision: { type: 'integer' } } },
        'One that the history lists.',
      ),
      ok('As stored, with a new revision.', ref('ExperimentSet')),
    ),
  },
}
