import type { SettingsTable } from '../setting.js'

/** Settings that most programs read. */
export const EVERYWHERE = {
  LOG_LEVEL: {
    kind: 'text',
    programs: ['collector', 'aggregator', 'clickhouse', 'micro', 'commands'],
    default: 'info',
    otherwise: '`info`; commands print no log',
    meaning: 'Lines of the log from this level on: `trace`, `debug`, `info`, `warn`, `error`',
  },
  DATA_DIR: {
    kind: 'text',
    programs: [
      'start',
      'collector',
      'aggregator',
      'clickhouse',
      'commands',
      'users',
      'plan',
      'catalog',
      'profiles',
      'replay',
      'tests',
    ],
    default: '.data',
    meaning: 'Folder of everything that `npm start` keeps; other programs find its passwords and tokens there',
  },
  ALLOWED_HOSTS: {
    kind: 'text',
    programs: ['collector', 'aggregator', 'clickhouse', 'micro'],
    default: '',
    meaning:
      'Names, with commas between, under which status ports, `/metrics` and the embedded ClickHouse may be reached besides IP addresses, `localhost` and the name of the machine; `.example.com` is every name under it, `*` every name',
    beyond: '`403`',
  },
  ADMIN_TOKEN: {
    kind: 'secret',
    programs: ['start', 'collector', 'plan', 'catalog', 'profiles', 'replay'],
    otherwise:
      'a collector must have it; `npm start` makes one and keeps it in `DATA_DIR/admin-token`, where commands find it',
    meaning: 'Token of `/v1/admin`, with which sites and content are changed',
  },
  SECRETS_FD: {
    kind: 'number',
    programs: ['collector', 'aggregator', 'clickhouse'],
    unit: '',
    min: 1,
    otherwise: 'none',
    meaning: 'Descriptor of the pipe through which `npm start` gives secrets to its programs; leave it out',
  },
} as const satisfies SettingsTable
