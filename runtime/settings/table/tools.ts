import type { SettingsTable } from '../setting.js'

/** The collector for the tests of a website. */
export const MICRO = {
  MICRO_WRITE_KEYS: {
    kind: 'text',
    programs: ['micro'],
    default: '',
    otherwise: 'any',
    meaning: 'Write keys that there are, with commas between; each is also the id of its site',
    beyond: '`401` for others',
  },
  MICRO_SCHEMAS: {
    kind: 'text',
    programs: ['micro'],
    default: '',
    meaning: 'Folder of a tracking plan, which is enforced',
    beyond: 'what breaks it is in `/micro/bad`',
  },
  MICRO_UNPLANNED: {
    kind: 'text',
    programs: ['micro'],
    default: 'allow',
    meaning: 'Whether an event that is not in the plan breaks it: `allow` or `violation`',
  },
  MICRO_SLOTS: {
    kind: 'text',
    programs: ['micro'],
    default: '',
    meaning: 'JSON file of what slots are answered',
    beyond: 'other slots keep the page’s own content',
  },
  MICRO_MAX_MESSAGES: {
    kind: 'number',
    programs: ['micro'],
    unit: 'messages',
    default: 10_000,
    min: 1,
    meaning: 'Messages that are kept',
    beyond: 'the oldest leave, and are counted as `forgotten`',
  },
  MICRO_MAX_MB: {
    kind: 'number',
    programs: ['micro'],
    unit: 'MB',
    default: 64,
    min: 1,
    max: 16_384,
    meaning: 'Bytes of messages that are kept',
    beyond: 'likewise',
  },
} as const satisfies SettingsTable

/** Settings of one command alone. */
export const COMMANDS = {
  SECRET_KEY: {
    kind: 'secret',
    programs: ['replay'],
    otherwise: 'made of the admin token',
    meaning: 'Secret key of the site that a log is replayed into, where the site has some: old times need one',
  },
} as const satisfies SettingsTable
