import type { SettingsTable } from '../setting.js'
import { MOVES } from './start.js'

const CONNECTED = ['start', 'aggregator', 'commands', 'replay'] as const

/** The connection to ClickHouse. */
export const CLICKHOUSE = {
  CLICKHOUSE_URL: {
    kind: 'secret',
    programs: CONNECTED,
    otherwise:
      '`http://127.0.0.1:CLICKHOUSE_PORT`, on the port that `npm start` in the same `DATA_DIR` uses; `npm start` runs the embedded server',
    meaning: 'ClickHouse to load and to read',
  },
  CLICKHOUSE_USER: {
    kind: 'text',
    programs: CONNECTED,
    default: 'default',
    // Without a user the embedded server reads.
    in: { replay: { default: '' } },
    meaning: 'User of that ClickHouse, who may create and alter tables in the database `slotstream`',
  },
  CLICKHOUSE_PASSWORD: {
    kind: 'secret',
    programs: [...CONNECTED, 'clickhouse'],
    otherwise: 'none; `npm start` makes one for the embedded server, which must have it',
    meaning: 'Password of that user; of the embedded server, the one of the user `slotstream` who may write',
  },
  CLICKHOUSE_CLUSTER: {
    kind: 'text',
    programs: ['aggregator', 'commands'],
    default: '',
    meaning: 'Name of a cluster: tables are made on all its servers, replicated',
  },
  CLICKHOUSE_PORT: {
    kind: 'number',
    programs: [...CONNECTED, 'clickhouse'],
    unit: '',
    default: 8123,
    max: 65_535,
    in: {
      start: { min: 1 },
      aggregator: { min: 1 },
      commands: { min: 1 },
      replay: { min: 1 },
    },
    meaning: 'Port of the embedded ClickHouse; for other programs, where they look for it without `CLICKHOUSE_URL`',
    beyond: MOVES,
  },
} as const satisfies SettingsTable

/** The embedded ClickHouse server. */
export const EMBEDDED_CLICKHOUSE = {
  CLICKHOUSE_HOST: {
    kind: 'text',
    programs: ['clickhouse'],
    default: '127.0.0.1',
    meaning: 'IP address that `CLICKHOUSE_PORT` is opened on',
  },
  CLICKHOUSE_DATA_DIR: {
    kind: 'text',
    programs: ['clickhouse', 'users'],
    otherwise: '`DATA_DIR/clickhouse`',
    meaning: 'Folder of the tables',
  },
  CLICKHOUSE_USERS_FILE: {
    kind: 'text',
    programs: ['clickhouse', 'users'],
    otherwise: '`DATA_DIR/clickhouse-users.json`',
    meaning: 'File of the named users',
  },
  CLICKHOUSE_ANALYSTS_MEMORY_MB: {
    kind: 'number',
    programs: ['clickhouse'],
    unit: 'million bytes',
    otherwise: 'half of the memory of the machine',
    min: 100,
    meaning: 'Memory of all queries of analysts and builders together; one of them may take a quarter of it',
    beyond: 'the query ends with `MEMORY_LIMIT_EXCEEDED`',
  },
  CLICKHOUSE_MAX_INSERT_BYTES: {
    kind: 'number',
    programs: ['clickhouse'],
    unit: 'bytes',
    default: 256 * 1024 * 1024,
    min: 1,
    max: 512 * 1024 * 1024,
    meaning: 'Largest body of a request',
    beyond: '`413`',
  },
  CLICKHOUSE_MAX_CONNECTIONS: {
    kind: 'number',
    programs: ['clickhouse'],
    unit: 'connections',
    default: 1_000,
    min: 2,
    max: 100_000,
    meaning:
      'Connections of clients at a time, without those of the user `slotstream`; half of them may have a query that runs or waits. BI tools keep a pool of some ten each',
    beyond: 'the connection that has been inactive longest is closed; further requests get `503`',
  },
  CLICKHOUSE_ALLOWED_ORIGINS: {
    kind: 'text',
    programs: ['clickhouse'],
    default: '',
    meaning: 'Origins of web pages that may use it, such as `https://sql.example`, with commas between',
    beyond: '`403`',
  },
  UV_THREADPOOL_SIZE: {
    kind: 'number',
    programs: ['clickhouse'],
    unit: 'threads',
    default: 4,
    min: 4,
    max: 1024,
    otherwise: '4; `npm start` sets 24',
    meaning: 'Threads of Node, one of which each running query holds',
    beyond: 'queries wait for one another',
  },
} as const satisfies SettingsTable
