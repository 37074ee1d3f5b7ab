import {
  ATTRIBUTION_RULES,
  CAMPAIGN_FIELDS,
  CAP_FIELDS,
  CAP_WINDOWS,
  type CatalogFields,
  CONTENT_FIELDS,
  CONTEXTUAL_DRAWS,
  DEFAULT_ATTRIBUTION,
  MAX_ATTRIBUTION_HOURS,
  MAX_ITEMS,
  MAX_NAME_LENGTH,
  MAX_REWARD_VALUE,
  POLICY_FIELDS,
  POLICY_TYPES,
  type PolicyType,
  REWARD_FIELDS,
  REWARD_SENDERS,
  SLOT_FIELDS,
} from '@slotstream/protocol'
import { type Part, ref } from '../operations.js'

const name: Part = { type: 'string', minLength: 1, maxLength: MAX_NAME_LENGTH }
const names: Part = { type: 'array', items: name }
const share: Part = { type: 'number', minimum: 0, maximum: 1 }
const condition: Part = { type: 'object', description: 'Condition in the Mongo-like language of GrowthBook.' }
const date: Part = { type: ['string', 'null'], description: 'ISO 8601; without a zone UTC.' }

const ATTRIBUTION: Part = {
  type: 'object',
  additionalProperties: false,
  properties: {
    rule: { enum: [...ATTRIBUTION_RULES], default: DEFAULT_ATTRIBUTION.rule },
    windowHours: {
      type: 'integer',
      minimum: 1,
      maximum: MAX_ATTRIBUTION_HOURS,
      default: DEFAULT_ATTRIBUTION.windowHours,
    },
  },
}

/** Schemas of policies' fields beside `type`. */
const POLICY_PARTS: Record<string, Part> = {
  contentIds: names,
  exploration: share,
  popularity: { const: true },
  bySegment: { type: 'boolean' },
  prior: {
    type: 'object',
    additionalProperties: false,
    required: ['successes', 'failures'],
    properties: {
      successes: { type: 'number', exclusiveMinimum: 0 },
      failures: { type: 'number', exclusiveMinimum: 0 },
    },
  },
  draw: { enum: [...CONTEXTUAL_DRAWS] },
  policies: {
    type: 'array',
    minItems: 1,
    items: {
      type: 'object',
      additionalProperties: false,
      required: ['share', 'policy'],
      properties: { share: { type: 'number', exclusiveMinimum: 0 }, policy: ref('Policy') },
    },
  },
}

const REWARD: Part = objectOf(REWARD_FIELDS, {
  event: name,
  where: condition,
  value: { type: ['number', 'string'] },
  min: { type: 'number', minimum: -MAX_REWARD_VALUE, maximum: 0 },
  max: { type: 'number', minimum: 0, maximum: MAX_REWARD_VALUE },
  from: { enum: [...REWARD_SENDERS], default: 'any' },
  halfLife: { type: 'string', examples: ['24h'] },
  windowHours: { type: 'integer', minimum: 1 },
})

const CAMPAIGN: Part = objectOf(CAMPAIGN_FIELDS, {
  id: name,
  where: condition,
  contentIds: { ...names, minItems: 1 },
  mode: { enum: ['pin', 'boost'] },
})

const CAP: Part = objectOf(CAP_FIELDS, {
  count: { type: 'integer', minimum: 1 },
  per: { enum: [...CAP_WINDOWS] },
})

const SLOT: Part = objectOf(SLOT_FIELDS, {
  id: name,
  policy: ref('Policy'),
  candidates: condition,
  count: { type: 'integer', minimum: 1, maximum: MAX_ITEMS, default: 1 },
  holdout: { ...share, default: 0 },
  holdoutTag: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,100}$' },
  control: { const: 'page' },
  rewards: { type: 'array', items: REWARD },
  countFrom: { enum: ['viewed', 'served'] },
  exploration: {
    type: 'object',
    additionalProperties: false,
    required: ['atLeast'],
    properties: { atLeast: share, neverBelow: share },
  },
  campaigns: { type: 'array', items: CAMPAIGN },
  schema: { type: 'object' },
  attribution: ATTRIBUTION,
  maxAge: { type: 'string', examples: ['5s'] },
})

const CONTENT: Part = objectOf(CONTENT_FIELDS, {
  id: name,
  slots: names,
  category: { type: 'string', default: '' },
  payload: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } },
  startsAt: date,
  endsAt: date,
  where: condition,
  caps: { type: 'array', items: CAP },
  stopAfter: name,
  stock: { type: 'integer', minimum: 0 },
  weight: { type: 'number', minimum: 0 },
  tags: names,
  brand: name,
  price: { type: 'number', minimum: 0 },
  attributes: { type: 'object' },
})

const COUNT: Part = { type: 'integer', minimum: 0 }
const REVISION: Part = { ...COUNT, description: 'Grows with each change of the catalog as a whole.' }

/** How a change is answered. */
const CHANGED: Part = {
  type: 'object',
  required: ['revision', 'added', 'changed', 'removed'],
  properties: { revision: REVISION, added: COUNT, changed: COUNT, removed: COUNT },
}

/** Warnings of what in a change is probably not meant. */
export const WARNINGS: Part = {
  type: 'array',
  items: { type: 'string' },
  description:
    'Contents that slots list and that there are not, slots whose candidates are met by none, contents in no slot, arms of running experiments that list what goes.',
}

/** Slots, content and their revisions. */
export const SLOT_SCHEMAS: Record<string, Part> = {
  Policy: {
    type: 'object',
    required: ['type'],
    description: 'How a slot chooses. Absent: the default policy, which learns.',
    oneOf: POLICY_TYPES.map(policyOf),
  },
  Slot: withoutId(SLOT),
  Content: withoutId(CONTENT),
  StoredSlot: withWarnings(SLOT),
  StoredContent: withWarnings(CONTENT),
  Catalog: {
    type: 'object',
    properties: {
      revision: { ...REVISION, description: 'Sent along, only this one is changed: else the answer is 409.' },
      slots: { type: 'array', items: ref('Slot') },
      content: { type: 'array', items: ref('Content') },
      draft: { type: 'boolean', default: false, description: 'Adds to the draft, which is not served.' },
      replace: { type: 'boolean', default: false, description: 'Removes what the body does not have.' },
      tests: ref('DecisionTests'),
    },
  },
  CatalogChange: CHANGED,
  CatalogRevision: {
    type: 'object',
    required: ['revision', 'at', 'slots', 'content', 'added', 'changed', 'removed', 'changes'],
    properties: {
      revision: REVISION,
      at: { type: 'string', description: 'When it was stored.' },
      slots: COUNT,
      content: COUNT,
      added: COUNT,
      changed: COUNT,
      removed: COUNT,
      changes: { type: 'array', items: { type: 'string' }, description: 'The first 20, a line each.' },
      rollbackTo: { ...COUNT, description: 'Revision whose content it has once more. Absent: it is no rollback.' },
    },
  },
}

function policyOf(type: PolicyType): Part {
  const fields = POLICY_FIELDS[type]
  const parts = Object.keys(fields).map(field => [field, POLICY_PARTS[field]] as const)
  const { properties, required = [] } = objectOf(fields, Object.fromEntries(parts) as Record<string, Part>) as {
    properties: Part
    required?: string[]
  }
  return {
    type: 'object',
    additionalProperties: false,
    required: ['type', ...required],
    properties: { type: { const: type }, ...properties },
  }
}

/** Describes an object by its fields, each with its meaning. */
export function objectOf(fields: CatalogFields, parts: Record<string, Part>): Part {
  const required = Object.keys(fields).filter(field => fields[field]!.isRequired)
  return {
    type: 'object',
    additionalProperties: false,
    ...(required.length > 0 && { required }),
    properties: Object.fromEntries(
      Object.entries(fields).map(([field, { meaning }]) => [field, { description: meaning, ...parts[field] }]),
    ),
  }
}

/** Returns the schema of an item as it is answered. */
function withWarnings(part: Part): Part {
  return { ...part, properties: { ...(part.properties as Part), warnings: WARNINGS } }
}

/** Returns the schema without its id, which may be in the path. */
function withoutId(part: Part): Part {
  const required = (part.required as string[]).filter(field => field !== 'id')
  const { required: _all, ...rest } = part
  return required.length > 0 ? { ...rest, required } : rest
}
