import type { SettingsTable } from '../setting.js'

const BY_ROLE = { kind: 'number', programs: ['aggregator'] } as const

/** How signals are delivered to webhooks. */
export const WEBHOOKS = {
  WEBHOOK_ALLOW_PRIVATE: {
    kind: 'number',
    programs: ['collector', 'aggregator'],
    unit: '',
    default: 0,
    max: 1,
    meaning:
      'Whether webhooks may be at `http://` URLs and at IP addresses of private networks, 1 for yes: for tests, and for receivers of one’s own beside Slotstream',
  },
  WEBHOOK_TIMEOUT_MS: {
    ...BY_ROLE,
    unit: 'ms',
    default: 10_000,
    min: 100,
    max: 60_000,
    meaning: 'How long a webhook may take for the status of its answer, connection included',
    beyond: 'the attempt has failed',
  },
  WEBHOOK_RETRY_S: {
    ...BY_ROLE,
    unit: 's',
    default: 5,
    min: 1,
    max: 86_400,
    meaning: 'Pause after the first failed attempt, doubled with each further one, shortened by up to a half at random',
  },
  WEBHOOK_RETRY_LONGEST_S: {
    ...BY_ROLE,
    unit: 's',
    default: 7_200,
    min: 1,
    max: 86_400,
    meaning: 'Longest pause between two attempts',
  },
  WEBHOOK_GIVE_UP_S: {
    ...BY_ROLE,
    unit: 's',
    default: 259_200,
    min: 1,
    max: 31_536_000,
    meaning:
      'Time after a signal was taken from its stream, 3 days, after which it is given up; less than `STREAM_RETENTION_DAYS`, because it is read from its stream until then',
    beyond: 'the signal becomes a dead letter',
  },
  WEBHOOK_PENDING: {
    ...BY_ROLE,
    unit: 'signals',
    default: 10_000,
    min: 1,
    max: 1_000_000,
    meaning:
      'Signals that are under way or wait for their next attempt, of one webhook, about 300 bytes each; in a partition its share, at most 1,000',
    beyond: 'further ones stay in their stream until there is room',
  },
  WEBHOOK_DEAD_LETTERS: {
    ...BY_ROLE,
    unit: 'letters',
    default: 10_000,
    min: 1,
    max: 10_000_000,
    meaning: 'Dead letters of one webhook',
    beyond: 'further signals go on waiting, with the longest pause between attempts',
  },
  WEBHOOK_AT_ONCE: {
    ...BY_ROLE,
    unit: 'requests',
    default: 16,
    min: 1,
    max: 1_000,
    meaning: 'Requests of one aggregator to one webhook at a time; to all of them together sixteen times as many',
    beyond: 'the others wait for their turn',
  },
} as const satisfies SettingsTable
