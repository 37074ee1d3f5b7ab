import {
  BOT_TREATMENTS,
  DEFAULT_ENRICHMENT,
  MAX_NAME_LENGTH,
  MAX_SECRET_KEYS,
  MAX_SECRET_LENGTH,
  MAX_SIGNALS,
  MAX_SPREAD,
  MIN_RETENTION_DAYS,
  MIN_SECRET_LENGTH,
  NO_PLAN,
  PLAN_MODES,
  RETAINED_TABLES,
  SIGNALS,
} from '@slotstream/protocol'
import { DECISION_TESTS } from './catalog/decision-tests.js'
import { SLOT_SCHEMAS } from './catalog/schemas.js'
import type { Part } from './operations.js'

const name: Part = { type: 'string', minLength: 1, maxLength: MAX_NAME_LENGTH }

const secret: Part = { type: 'string', minLength: MIN_SECRET_LENGTH, maxLength: MAX_SECRET_LENGTH }

const { userAgent, bots, traffic, location, ip, idCookie, scrub } = DEFAULT_ENRICHMENT

/** Subjects of the admin routes. Ids are in the path where there is one. */
export const CATALOG_SCHEMAS: Record<string, Part> = {
  Site: {
    type: 'object',
    required: ['writeKeys'],
    properties: {
      siteId: { type: 'string', pattern: '^[a-z0-9-]{1,64}$' },
      name: { type: 'string' },
      writeKeys: { type: 'array', minItems: 1, items: name, description: 'Public keys: pages carry them.' },
      secretKeys: {
        type: ['array', 'null'],
        maxItems: MAX_SECRET_KEYS,
        items: { ...secret, pattern: '^[\\x21-\\x39\\x3b-\\x7e]+$' },
        writeOnly: true,
        description: 'Keys of servers. Kept as hashes. Left out: as they are; null or an empty list: none.',
      },
      secretKeyFingerprints: {
        type: 'array',
        items: { type: 'string' },
        readOnly: true,
        description: 'One for each secret key: the beginning of its hash.',
      },
      identitySecret: {
        anyOf: [secret, { const: true }, { type: 'null' }],
        description:
          'Key of the signatures of user ids. Answers say true where there is one. Left out or true: as it is; null: none.',
      },
      allowedOrigins: {
        type: ['array', 'null'],
        items: name,
        default: [],
        description: 'Left out: as they are, none for a new site; null: all.',
      },
      debug: { type: 'boolean', default: false, description: 'Whether pages may ask why a decision was made.' },
      privacySignals: {
        enum: ['ignore', 'honour'],
        default: 'ignore',
        description: 'honour: nothing of a request with `Sec-GPC: 1` or `DNT: 1` is stored, and slots are not decided.',
      },
      requestsPerSecond: { type: 'number', minimum: 1, maximum: 1_000_000 },
      retention: {
        type: 'object',
        additionalProperties: false,
        description: 'Days that rows stay in the warehouse, by table.',
        properties: Object.fromEntries(
          RETAINED_TABLES.map(table => [table, { type: 'integer', minimum: MIN_RETENTION_DAYS }]),
        ),
      },
      spread: {
        type: 'array',
        maxItems: MAX_SPREAD,
        items: name,
        description: 'Ids of heavy senders that are no visitors: spread over partitions, without a profile.',
      },
      signals: {
        type: 'array',
        maxItems: MAX_SIGNALS,
        items: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,100}$' },
        examples: [[...SIGNALS, 'cart_abandonment']],
        description: 'Signals that are told, by names of detectors and patterns; an empty list for none. Default: all.',
      },
      bots: {
        enum: [...BOT_TREATMENTS],
        default: 'exclude',
        description: 'exclude: visitors whose behaviour is that of a program are in no segment and no preview.',
      },
      holdout: {
        type: 'object',
        additionalProperties: false,
        required: ['share'],
        properties: {
          share: { type: 'number', minimum: 0, maximum: 1 },
          tag: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,100}$' },
        },
        description: "Persons who keep the page's own content in all slots. Another tag draws other persons.",
      },
      enrichment: {
        type: 'object',
        additionalProperties: false,
        properties: {
          userAgent: { type: 'boolean', default: userAgent },
          bots: { type: 'boolean', default: bots },
          traffic: { type: 'boolean', default: traffic },
          location: { type: 'boolean', default: location },
          ip: { enum: ['none', 'truncated'], default: ip },
          idCookie: { type: ['boolean', 'string'], default: idCookie },
          scrub: { type: 'array', maxItems: 200, items: { type: 'string' }, default: scrub },
        },
      },
    },
  },
  ...SLOT_SCHEMAS,
  DecisionTests: DECISION_TESTS,
  TrackingPlan: {
    type: 'object',
    required: ['schemas'],
    properties: {
      revision: { type: 'integer', description: 'Grows with each change. Sent along, only this one is replaced.' },
      mode: { enum: PLAN_MODES, default: NO_PLAN.mode },
      unplanned: { enum: ['allow', 'violation'], default: NO_PLAN.unplanned },
      schemas: {
        type: 'object',
        description: 'JSON Schemas, draft 2020-12, by version (`1-0-0`), by event.',
        additionalProperties: { type: 'object', additionalProperties: { type: 'object' } },
      },
      force: { type: 'boolean', default: false, description: 'Lets a published version get other content.' },
    },
  },
}
