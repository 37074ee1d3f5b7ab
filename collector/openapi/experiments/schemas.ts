import {
  ARM_FIELDS,
  type CatalogFields,
  DEFAULT_CLICK_MINUTES,
  EXPERIMENT_FIELDS,
  GUARDRAIL_FIELDS,
  MAX_ARMS,
  MAX_EXPERIMENTS,
  MAX_METRICS,
  METRIC_FIELDS,
  METRIC_SENDERS,
  STOP_ACTIONS,
  STOP_FIELDS,
  STOP_REASONS,
  STOPPED_FIELDS,
  TOURNAMENT_ACTIONS,
  TOURNAMENT_FIELDS,
  TOURNAMENT_STEP_FIELDS,
  TOURNAMENT_STEPS,
} from '@slotstream/protocol'
import { objectOf } from '../catalog/schemas.js'
import { type Part, ref } from '../operations.js'

const name: Part = { type: 'string', pattern: '^[A-Za-z0-9_-]{1,100}$' }
const event: Part = { type: 'string', minLength: 1 }

/** Returns an event by its name, or an object. */
function eventOr(fields: CatalogFields, parts: Record<string, Part>): Part {
  const values = {
    event,
    value: { type: 'string' },
    windowHours: { type: 'integer', minimum: 1 },
    from: { enum: [...METRIC_SENDERS] },
    ...parts,
  }
  return { anyOf: [event, objectOf(fields, values)] }
}

const NUMBER_OR_NULL: Part = { type: ['number', 'null'] }
const CHECKED: Record<string, Part> = {
  ok: { type: 'boolean' },
  e: { type: 'number', description: 'Evidence against it: above 1,000 it is flagged.' },
}
const CHECK: Part = { type: 'object', required: ['ok', 'e'], properties: CHECKED }
const DRAWS_CHECK: Part = {
  ...CHECK,
  properties: {
    ...CHECKED,
    draws: { type: 'integer', description: 'Draws that were audited for this answer.' },
    cut: { type: 'boolean', description: 'Whether there were more than could be read: the earliest were left out.' },
  },
}
const LIFT: Part = {
  type: 'object',
  required: ['value', 'low', 'high'],
  description: 'Relative: 0.02 is 2 %. Null: too early to say.',
  properties: { arm: { type: ['string', 'null'] }, value: NUMBER_OR_NULL, low: NUMBER_OR_NULL, high: NUMBER_OR_NULL },
}

const STOPPED = objectOf(STOPPED_FIELDS, {
  at: { type: 'string', format: 'date-time' },
  reason: { enum: ['asked', ...STOP_REASONS] },
  arm: name,
  verdict: { type: 'string' },
})

const VALUE: Record<string, Part> = {
  value: { type: 'number' },
  low: { type: 'number' },
  high: { type: 'number' },
}
const STEP = objectOf(TOURNAMENT_STEP_FIELDS, {
  at: { type: 'string', format: 'date-time' },
  arm: name,
  step: { enum: [...TOURNAMENT_STEPS] },
  reason: { type: 'string' },
  decisions: { type: 'integer' },
  ...VALUE,
  running: { type: 'object', properties: VALUE },
})

/** Standings of a tournament, at the last look. */
const TOURNAMENT: Part = {
  type: 'object',
  required: ['arm', 'steps'],
  properties: {
    arm: { type: ['string', 'null'], description: 'The candidate that is tried.' },
    steps: { type: 'array', items: STEP },
    since: { type: 'string', format: 'date-time', description: 'Decisions from then on are compared.' },
    until: { type: 'string', format: 'date-time', description: 'Decisions until before then were looked at.' },
    running: { type: 'object', properties: { ...VALUE, decisions: { type: 'integer' } } },
    leftOut: { type: 'integer', description: 'Decisions that say nothing of candidates.' },
    held: { type: 'string', description: 'Why what is certain is not acted on.' },
    candidates: {
      type: 'array',
      description: 'The best first.',
      items: {
        type: 'object',
        properties: {
          name: { type: 'string' },
          ...VALUE,
          decisions: { type: 'integer' },
          standing: { enum: ['better', 'worse', 'undecided', 'unknown'] },
          reason: { type: 'string' },
          refused: {
            type: ['object', 'null'],
            description: 'Why its value cannot be relied on, and what would cure it.',
            properties: { code: { type: 'string' }, reason: { type: 'string' }, cure: { type: 'string' } },
          },
          ess: { type: 'number' },
          maxWeight: { type: 'number' },
        },
      },
    },
  },
}

/** Experiments and what is known of them. */
export const EXPERIMENT_SCHEMAS: Record<string, Part> = {
  Experiment: objectOf(EXPERIMENT_FIELDS, {
    id: name,
    slot: event,
    arms: {
      type: 'array',
      minItems: 2,
      maxItems: MAX_ARMS,
      items: objectOf(ARM_FIELDS, {
        id: name,
        share: { type: 'number', exclusiveMinimum: 0, maximum: 1 },
        policy: ref('Policy'),
        contentIds: { type: 'array', minItems: 1, items: event },
      }),
    },
    group: name,
    metrics: { type: 'array', minItems: 1, maxItems: MAX_METRICS, items: eventOr(METRIC_FIELDS, {}) },
    guardrails: {
      type: 'array',
      maxItems: MAX_METRICS,
      items: eventOr(GUARDRAIL_FIELDS, {
        worse: { enum: ['less', 'more'], default: 'less' },
        margin: { type: 'number', minimum: 0, maximum: 1, default: 0 },
      }),
    },
    stop: objectOf(STOP_FIELDS, {
      units: { type: 'integer', minimum: 100, default: 10_000 },
      least: { type: 'integer', minimum: 10, default: 100 },
      on: { type: 'array', items: { enum: [...STOP_REASONS] } },
      apply: { enum: [...STOP_ACTIONS], default: 'stop' },
    }),
    tournament: objectOf(TOURNAMENT_FIELDS, {
      apply: { enum: [...TOURNAMENT_ACTIONS], default: 'try' },
      clickMinutes: { type: 'integer', minimum: 1, default: DEFAULT_CLICK_MINUTES },
      since: { type: 'string', format: 'date-time' },
      arm: name,
      steps: { type: 'array', items: STEP },
    }),
    stopped: STOPPED,
  }),
  ExperimentSet: {
    type: 'object',
    required: ['experiments'],
    properties: {
      revision: { type: 'integer', description: 'Sent along, only this one is changed: else the answer is 409.' },
      experiments: { type: 'array', maxItems: MAX_EXPERIMENTS, items: ref('Experiment') },
    },
  },
  SlotResults: {
    type: 'object',
    required: ['arms', 'lift', 'sampleRatio', 'propensities', 'loss', 'verdict'],
    properties: {
      experiment: { type: ['string', 'null'], description: 'Null: all who were shown something against the holdout.' },
      arms: {
        type: 'array',
        description: 'The control first.',
        items: {
          type: 'object',
          required: ['id', 'decisions', 'rewards', 'value', 'low', 'high'],
          properties: {
            id: { type: 'string' },
            decisions: { type: 'integer' },
            units: { type: 'integer', description: 'Persons.' },
            rewards: NUMBER_OR_NULL,
            value: NUMBER_OR_NULL,
            low: NUMBER_OR_NULL,
            high: NUMBER_OR_NULL,
          },
        },
      },
      lift: LIFT,
      sampleRatio: CHECK,
      propensities: DRAWS_CHECK,
      loss: {
        type: 'object',
        required: ['ok'],
        properties: {
          ok: { type: 'boolean' },
          difference: { type: 'number', description: 'Of the shares of messages that are missing.' },
          weighted: { type: 'boolean', description: 'Whether values and lift are weighted for what got lost.' },
          contents: {
            type: 'object',
            description: 'Whether of all contents as much gets lost. What policies learn is weighted for it.',
            properties: { ok: { type: 'boolean' }, difference: { type: 'number' } },
          },
        },
      },
      guardrails: {
        type: 'array',
        items: { type: 'object', properties: { event: { type: 'string' }, ok: { type: 'boolean' }, lift: LIFT } },
      },
      stop: { enum: [...STOP_REASONS, null], description: 'Why it should end now.' },
      stopped: { anyOf: [STOPPED, { type: 'null' }], description: 'How it ended. Null: it runs.' },
      tournament: { anyOf: [TOURNAMENT, { type: 'null' }], description: 'Null: the experiment has none.' },
      verdict: { type: 'string' },
      sql: { type: 'object', additionalProperties: { type: 'string' }, description: 'What each number was read by.' },
    },
  },
  SlotPower: {
    type: 'object',
    required: ['days', 'persons', 'baseRate', 'personsPerDay', 'assumptions', 'verdict', 'measured', 'sql'],
    properties: {
      days: { type: ['integer', 'null'], description: 'Null: what was measured does not tell.' },
      persons: { type: ['integer', 'null'], description: 'Of all arms.' },
      baseRate: { type: 'number' },
      personsPerDay: { type: 'number' },
      effect: { type: 'number' },
      power: { type: 'number' },
      alpha: { type: 'number' },
      shares: { type: 'array', items: { type: 'number' } },
      metric: eventOr(METRIC_FIELDS, {}),
      measured: {
        type: ['object', 'null'],
        description: 'Null: `baseRate` and `personsPerDay` were given, and nothing was measured.',
        required: ['from', 'to', 'days', 'persons', 'rewards'],
        properties: {
          from: { type: 'string' },
          to: { type: 'string' },
          days: { type: 'integer' },
          persons: { type: 'integer' },
          rewards: { type: 'number' },
        },
      },
      assumptions: { type: 'array', items: { type: 'string' } },
      verdict: { type: 'string' },
      sql: { type: 'object', additionalProperties: { type: 'string' }, description: 'What was measured by.' },
    },
  },
}
