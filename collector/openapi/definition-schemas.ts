import {
  AGGREGATES,
  COMMON_FIELDS,
  DEFAULT_FEATURE_KEYS,
  ENTITIES,
  FEATURE_FIELDS,
  KIND_FIELDS,
  MAX_EVENT_WEIGHT,
  MAX_FEATURE_KEYS,
  MAX_NAME_LENGTH,
  MAX_SOURCE_EVENTS,
  PATTERN_KINDS,
  SEGMENT_FIELDS,
} from '@slotstream/protocol'
import { type Part, ref } from './operations.js'

const name: Part = { type: 'string', pattern: '^[A-Za-z0-9_-]{1,100}$' }
const event: Part = { type: 'string', minLength: 1, maxLength: MAX_NAME_LENGTH }
const condition: Part = { type: 'object', description: 'Condition in the Mongo-like language of GrowthBook.' }
const path: Part = { type: 'string', maxLength: MAX_NAME_LENGTH }
const duration: Part = { type: 'string', pattern: '^[1-9]\\d*[smhd]$' }
const note: Part = { type: 'string', maxLength: 500 }

const SOURCE: Part = {
  type: 'object',
  additionalProperties: false,
  properties: {
    event: { ...event, description: 'Event of a track message, or a type such as `page`, or `*` for any message.' },
    events: {
      type: 'object',
      minProperties: 1,
      maxProperties: MAX_SOURCE_EVENTS,
      propertyNames: event,
      additionalProperties: {
        type: 'number',
        minimum: -MAX_EVENT_WEIGHT,
        maximum: MAX_EVENT_WEIGHT,
        not: { const: 0 },
      },
      description: 'In place of `event`: several, each with its weight.',
    },
    where: condition,
  },
  oneOf: [{ required: ['event'] }, { required: ['events'] }],
}

const FIELDS: Record<string, Part> = {
  name,
  source: SOURCE,
  aggregate: { enum: [...AGGREGATES] },
  value: { anyOf: [path, { const: 1 }] },
  by: path,
  window: { anyOf: [{ enum: ['session', 'lifetime'] }, duration], default: 'lifetime' },
  halfLife: duration,
  tumbling: { type: 'boolean', default: false },
  entity: { enum: [...ENTITIES], default: 'person' },
  keys: { type: 'integer', minimum: 1, maximum: MAX_FEATURE_KEYS, default: DEFAULT_FEATURE_KEYS },
  public: { type: 'boolean', default: false },
  description: note,
}

const BUILT_IN: Part = { const: true, readOnly: true, description: 'Of built-in ones, when they are asked for.' }

const PATTERN_FIELDS = Object.assign({}, ...PATTERN_KINDS.map(kind => KIND_FIELDS[kind]), COMMON_FIELDS)

function meanings(fields: Record<string, { meaning: string }>): Record<string, Part> {
  return Object.fromEntries(Object.entries(fields).map(([field, { meaning }]) => [field, { description: meaning }]))
}

/** Each with what it is for, as the table of fields says. */
const described = Object.entries(FIELDS).map(([field, schema]) => [
  field,
  { ...schema, description: FEATURE_FIELDS[field]?.meaning ?? '' },
])

/** Schemas of profiles, and of what an administrator declares about them. */
export const DEFINITION_SCHEMAS: Record<string, Part> = {
  Profile: {
    type: 'object',
    description: 'A browser, or a user of whom a server told, and the person whom it belongs to.',
    required: ['siteId', 'visitorId', 'person', 'features', 'segments', 'signals', 'suspicion'],
    properties: {
      person: {
        type: 'object',
        required: ['id', 'userId', 'browsers'],
        properties: {
          id: { type: 'string', description: 'The user’s id, or that of a browser without one.' },
          userId: { type: 'string', description: 'Empty where no user is known.' },
          browsers: { type: 'array', items: { type: 'string' }, description: 'Anonymous ids.' },
        },
      },
      features: {
        type: 'object',
        description: 'Values of the person’s features, by name.',
        additionalProperties: {
          type: 'object',
          required: ['value', 'version', 'ageMs'],
          properties: {
            value: {},
            version: { type: 'string', description: 'Changes with the definition.' },
            ageMs: { type: 'integer', minimum: 0, description: 'Time since it was read from its owners.' },
            since: {
              type: 'integer',
              description: 'Position in the stream after which messages count. Absent: all do.',
            },
            filling: {
              const: true,
              description:
                'History is being counted: until then the value is the former feature’s of the name. Absent: it is not.',
            },
            approximate: {
              const: true,
              description:
                'There were more keys or values than the feature keeps, or it was narrowed: the value is made of a part of them, or estimated. Absent: it is made of all of them.',
            },
            narrowed: {
              type: 'number',
              minimum: 0,
              exclusiveMaximum: 1,
              description:
                'The profile would have been too large: share of the keys, or of the values of a list, that was left; 0: it holds nothing. Absent: all of them.',
            },
          },
        },
      },
      segments: { type: 'array', items: { type: 'string' } },
      signals: { type: 'array', items: { type: 'string' }, description: 'Detected within 30 days of the latest one.' },
      suspicion: {
        type: 'object',
        description: 'Whether what the person did is what a program does.',
        required: ['isBot', 'reasons'],
        properties: {
          isBot: { type: 'boolean' },
          reasons: { type: 'array', items: { enum: ['rate', 'endless', 'regular', 'crawler'] } },
        },
      },
    },
  },
  ContentFeatures: {
    type: 'object',
    required: ['id', 'features'],
    properties: {
      id: { type: 'string' },
      features: {
        type: 'object',
        additionalProperties: {
          type: 'object',
          required: ['value', 'slots'],
          properties: {
            value: {
              type: ['number', 'object', 'null'],
              description: 'In all slots together; of a feature by key, by key.',
            },
            slots: {
              type: 'object',
              description: 'In each slot; an empty name for messages that name none.',
              additionalProperties: { type: ['number', 'object', 'null'] },
            },
            version: { type: 'string', description: 'Changes with the definition. Absent: it is made of others.' },
            approximate: {
              const: true,
              description:
                'There were more keys, or more sums of the content, than are kept: a part of them is left out. Absent: none is.',
            },
            filling: { type: 'boolean', description: 'The history of the feature is being counted.' },
          },
        },
      },
    },
  },
  Feature: {
    oneOf: [
      {
        type: 'object',
        required: ['name', 'source', 'aggregate'],
        additionalProperties: false,
        properties: {
          ...Object.fromEntries(described),
        },
      },
      {
        type: 'object',
        description: 'A built-in feature. It may use aggregates that are not offered to sites.',
        required: ['name', 'source', 'aggregate', 'builtin'],
        additionalProperties: false,
        properties: {
          ...Object.fromEntries(described),
          source: { type: 'object' },
          aggregate: { type: 'string' },
          builtin: BUILT_IN,
        },
      },
      {
        type: 'object',
        description: 'Switches a built-in feature off.',
        required: ['name', 'off'],
        additionalProperties: false,
        properties: { name, off: { const: true } },
      },
    ],
  },
  Pattern: {
    type: 'object',
    required: ['name'],
    additionalProperties: false,
    properties: { ...meanings(PATTERN_FIELDS), name, off: { const: true }, builtin: BUILT_IN },
  },
  Segment: {
    type: 'object',
    required: ['name', 'where'],
    additionalProperties: false,
    properties: { ...meanings(SEGMENT_FIELDS), name, where: condition, leaveWhere: condition, description: note },
  },
  ...Object.fromEntries(
    (
      [
        ['FeatureSet', 'features', 'Feature'],
        ['PatternSet', 'patterns', 'Pattern'],
        ['SegmentSet', 'segments', 'Segment'],
      ] as const
    ).map(([set, kind, item]) => [set, setSchema(kind, item)]),
  ),
}

function setSchema(kind: string, item: string): Part {
  return {
    type: 'object',
    required: [kind],
    properties: {
      revision: {
        type: 'integer',
        minimum: 0,
        description: 'Grows with each change. Sent along, only this one is replaced.',
      },
      at: { type: 'string', readOnly: true, description: 'Of an earlier revision: when it was stored.' },
      [kind]: { type: 'array', items: ref(item) },
      warnings: {
        type: 'array',
        items: { type: 'string' },
        readOnly: true,
        description: 'What of the other sets no longer fits: one line each.',
      },
    },
  }
}
