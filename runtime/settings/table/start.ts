import type { SettingsTable } from '../setting.js'

/** Effect of a taken port that only the services of one start use. */
export const MOVES = 'under `npm start`, one that is taken and was not set moves to the next free one'

/** Ports of `npm start`, and the programs and users it runs. */
export const START = {
  PORT: {
    kind: 'number',
    programs: ['start', 'collector', 'micro', 'plan', 'catalog', 'profiles', 'replay'],
    unit: '',
    default: 3000,
    max: 65_535,
    in: { start: { min: 1 }, plan: { min: 1 }, replay: { min: 1 } },
    meaning:
      'Port of the collector; for commands, where they look for it on this machine, by default where `npm start` in the same `DATA_DIR` has it. 0: any that is free',
    beyond: 'one that is taken is an error',
  },
  AGGREGATOR_PORT: {
    kind: 'number',
    programs: ['start', 'aggregator', 'commands'],
    unit: '',
    default: 3001,
    min: 1,
    max: 65_535,
    meaning:
      'Port of `/healthz`, `/readyz` and `/metrics` of an aggregator; under `npm start` of its roles `profiles` and `decisions`',
    beyond: MOVES,
  },
  WAREHOUSE_PORT: {
    kind: 'number',
    programs: ['start'],
    unit: '',
    default: 3002,
    min: 1,
    max: 65_535,
    meaning: 'The same port of the role `warehouse`, which `npm start` runs as a process of its own',
    beyond: MOVES,
  },
  NATS_SERVER_PATH: {
    kind: 'text',
    programs: ['start', 'tests'],
    default: '',
    otherwise: '2.10 or later on `PATH` or in the data folder, the pinned release, or an older one',
    meaning: 'The nats-server to run',
  },
  NATS_RUN_AS: {
    kind: 'text',
    programs: ['start'],
    default: '64222',
    meaning:
      'User of the nats-server when root runs `npm start`: a name, `uid:gid`, a number that needs no account, or `root`',
  },
  CLICKHOUSE_RUN_AS: {
    kind: 'text',
    programs: ['start'],
    default: 'nobody',
    meaning: 'User of the embedded ClickHouse when root runs `npm start`, likewise',
  },
  CHROMIUM_PATH: {
    kind: 'text',
    programs: ['tests'],
    default: '',
    otherwise: 'Chromium or Chrome on `PATH`, or installed by the package manager',
    meaning: 'The browser of the tests and benches',
  },
} as const satisfies SettingsTable
