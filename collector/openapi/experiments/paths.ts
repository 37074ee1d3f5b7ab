import { adminOperation, body, inPath, inQuery, inQueryAlways, ok, type Part, type Paths, ref } from '../operations.js'

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
          inQuery('experiment', "Its id. Default: the slot's first one that runs, else the first that was stopped"),
        ],
      },
      ok('May be asked for as often as one likes: intervals hold at every look.', ref('SlotResults')),
    ),
  },
  '/v1/admin/sites/{siteId}/slots/{id}/power': {
    parameters: [SITE, inPath('id', 'Id of the slot.')],
    get: adminOperation(
      'How long an experiment in a slot takes',
      {
        parameters: [
          inQueryAlways('effect', 'Relative effect to be found: 0.02 is 2 %'),
          inQuery('power', 'Chance that it is found. Default: 0.8'),
          inQuery('alpha', 'Share of intervals that miss the truth. Default: 0.05'),
          inQuery('shares', 'Of the arms, the control first, with commas between. Default: `0.5,0.5`'),
          inQuery('experiment', 'Id of one whose shares and first metric are taken'),
          inQuery('metric', 'Name of an event. Default: `Slot Clicked`'),
          inQuery('value', 'Path of what is summed, such as `properties.revenue`. Default: whether the event came'),
          inQuery('windowHours', "Hours after the person's first decision in which it counts"),
          inQuery('from', '`secret`: only messages that a server sent with a secret key count'),
          inQuery('days', 'Last days that are measured. Default: 14'),
          inQuery('baseRate', 'In the place of what is measured'),
          inQuery('personsPerDay', 'In the place of what is measured'),
        ],
      },
      ok('Days and persons, and what they take for granted.', ref('SlotPower')),
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
