import type { SettingsTable } from '../setting.js'

// Some commands work as an aggregator would: with its ClickHouse, its lake and its rules for profiles.
const BOTH = ['aggregator', 'commands'] as const

/** Roles of an aggregator, and its name among several. */
export const AGGREGATOR = {
  ROLES: {
    kind: 'text',
    programs: BOTH,
    default: 'warehouse,profiles,decisions,webhooks,batch',
    otherwise: 'all; set by `npm start`',
    meaning:
      'Roles of this process, with commas between; `decisions` needs `profiles`, and `batch` keeps the lake where there is `LAKE_DIR`, fits matrices of items, and does nightly jobs. The option `--roles` takes precedence',
  },
  AGGREGATOR_NAME: {
    kind: 'text',
    programs: BOTH,
    otherwise: 'host name and port',
    meaning: 'Name of this process among several; restarted under the same name it takes its own place at once',
  },
  AGGREGATOR_HOST: {
    kind: 'text',
    programs: BOTH,
    default: '127.0.0.1',
    meaning: 'IP address that `AGGREGATOR_PORT` is opened on',
  },
} as const satisfies SettingsTable

/** How much of profiles is kept, where, and for how long. */
export const PROFILES = {
  PROFILE_STORE: {
    kind: 'text',
    programs: BOTH,
    default: 'nats',
    meaning:
      'Where profiles are stored: `nats`, or `redis`, see [Profiles in Redis](operating.md#profiles-in-redis). Must be the same for all aggregators and for `npm run rebuild`',
  },
  REDIS_URL: {
    kind: 'secret',
    programs: BOTH,
    otherwise: 'none; needed with `PROFILE_STORE=redis`',
    meaning: 'Redis that has the profiles, as in `redis://127.0.0.1:6379/0`, or `rediss://` with TLS',
  },
  MAX_PROFILES: {
    kind: 'number',
    programs: BOTH,
    unit: 'profiles',
    default: 200_000,
    min: 1,
    meaning: 'Profiles in memory, about 4 KB each',
    beyond: 'those used longest ago leave, and are read back when they are needed',
  },
  PROFILES_MEMORY_MB: {
    kind: 'number',
    programs: BOTH,
    unit: 'MB',
    otherwise: 'a sixth of the memory of the machine, at most a third of the heap',
    min: 16,
    meaning: 'Memory that profiles may take, estimated upwards',
    beyond: 'likewise',
  },
  ANONYMOUS_PROFILE_DAYS: {
    kind: 'number',
    programs: BOTH,
    unit: 'days',
    default: 30,
    max: 36_500,
    meaning:
      'Days without a message after which the profile of a single anonymous visit leaves; 0: never. Must be the same for all aggregators and for `npm run rebuild`',
    beyond: 'the profile is removed',
  },
  PROFILES_FILL_RATE: {
    kind: 'number',
    programs: ['aggregator'],
    unit: 'messages/s',
    default: 50_000,
    meaning:
      'Messages a second that a process reads at most to count the history of a [feature](profiles.md#history) that was declared later; 0: no limit',
    beyond: 'it waits',
  },
  PARITY_SAMPLE: {
    kind: 'number',
    programs: ['aggregator'],
    unit: 'visitors',
    default: 100,
    max: 100_000,
    meaning:
      'Visitors of each site whose profiles the role `batch` compares with the rows of `events` every night; 0: none',
    beyond: 'the others have their turn on other nights',
  },
  REDRAW_SAMPLE: {
    kind: 'number',
    programs: ['aggregator'],
    unit: 'decisions',
    default: 1_000,
    max: 20_000,
    meaning: 'Decisions of each site and day that the role `batch` draws again from their records every night; 0: none',
    beyond: 'the others are not drawn again',
  },
  EXPERIMENTS_LOOK_S: {
    kind: 'number',
    programs: ['aggregator'],
    unit: 's',
    default: 300,
    max: 86_400,
    meaning:
      'Time between two looks of the role `batch` at [experiments](experiments.md#what-stops-an-experiment) that may stop, and at what was drawn since the last one; 0: it looks at neither',
  },
  PARITY_HOUR: {
    kind: 'number',
    programs: ['aggregator'],
    unit: 'hour, UTC',
    default: 3,
    max: 23,
    meaning:
      'Hour of the day from which the role `batch` compares profiles with the rows of `events`, and draws decisions again',
  },
} as const satisfies SettingsTable

/** How what policies have learned is kept. */
export const LEARNING = {
  LEARNING_SNAPSHOT_S: {
    kind: 'number',
    programs: ['aggregator'],
    unit: 's',
    default: 300,
    min: 1,
    max: 86_400,
    meaning:
      'Time between two snapshots of what policies have learned; an aggregator that starts reads the last one, and the records since then',
  },
  LEARNING_MEMORY_MB: {
    kind: 'number',
    programs: BOTH,
    unit: 'MB',
    default: 512,
    min: 16,
    max: 65_536,
    meaning:
      'Memory that [what policies have learned](policies.md#learning) of all slots may take in a process that decides, estimated upwards; its thread may take twice as much and 256 MB, with models and snapshots. Should be the same for all aggregators',
    beyond:
      'from three quarters on, slots that take more than an equal part learn of no further combinations of features; when it is full, none does, nor of further content. Both are counted as `memory`',
  },
  ITEM_MODELS_MINUTES: {
    kind: 'number',
    programs: ['aggregator'],
    unit: 'min',
    default: 60,
    max: 10_080,
    meaning:
      'Time between two fits of a site’s [matrices of items](policies.md#matrices-of-items) by the role `batch`; 0: none are fitted, nor used',
  },
  ITEM_MODELS_MEMORY_MB: {
    kind: 'number',
    programs: ['aggregator'],
    unit: 'MB',
    default: 256,
    min: 16,
    max: 65_536,
    meaning: 'Memory that matrices of items may take in a process that decides: 16 MB each for 2,000 items',
    beyond:
      'each site has an equal part; the largest are left out, and their policies choose at random; the log says which',
  },
} as const satisfies SettingsTable

/** How ClickHouse and the lake are loaded. */
export const WAREHOUSE = {
  WAREHOUSE_FLUSH_MS: {
    kind: 'number',
    programs: ['aggregator'],
    unit: 'ms',
    default: 300,
    min: 1,
    max: 60_000,
    meaning:
      'How long a block waits for more rows: one of profiles at least 2,000 ms, others up to 1,000 ms where inserting takes more than a tenth of the time. Less: fresher tables, more parts',
    beyond: 'the block is inserted',
  },
  WAREHOUSE_BLOCK_ROWS: {
    kind: 'number',
    programs: ['aggregator'],
    unit: 'rows',
    default: 50_000,
    min: 1,
    max: 1_000_000,
    meaning: 'Rows of a block',
    beyond: 'the block is inserted',
  },
  LAKE_DIR: {
    kind: 'text',
    programs: ['start', ...BOTH],
    default: '',
    otherwise: 'none: there is no lake',
    meaning: 'Folder of the lake, in which the role `batch` keeps every row as Parquet',
  },
  LAKE_EVERY_S: {
    kind: 'number',
    programs: BOTH,
    unit: 's',
    default: 900,
    min: 1,
    max: 86_400,
    meaning: 'Time between two files of a stream in the lake',
  },
} as const satisfies SettingsTable
