import type { SettingsTable } from '../setting.js'
import { MOVES } from './start.js'

const CONNECTED = ['collector', 'aggregator', 'commands'] as const

/** The connection to NATS, and the streams of an installation. */
export const NATS = {
  NATS_URL: {
    kind: 'secret',
    programs: ['start', ...CONNECTED],
    otherwise: '`nats://127.0.0.1:NATS_PORT`; `npm start` runs a server of its own',
    meaning:
      'NATS servers, with commas between; `tls://…` connects by TLS or not at all, `nats://user:password@…` has a user, for all of them',
  },
  NATS_PORT: {
    kind: 'number',
    programs: ['start', ...CONNECTED],
    unit: '',
    default: 4222,
    min: 1,
    max: 65_535,
    meaning: 'Port of the nats-server on this machine, where `NATS_URL` is not set',
    beyond: MOVES,
  },
  NATS_USER: {
    kind: 'text',
    programs: CONNECTED,
    default: '',
    otherwise: 'none; commands beside `npm start` find the operator in the data folder',
    meaning: 'User of the connection',
  },
  NATS_PASSWORD: { kind: 'secret', programs: CONNECTED, otherwise: 'none', meaning: 'Password of `NATS_USER`' },
  NATS_CREDS: {
    kind: 'secret',
    programs: CONNECTED,
    otherwise: 'none',
    meaning: 'Content of a `.creds` file, for servers with accounts of their own; usually set as `NATS_CREDS_FILE`',
  },
  NATS_INBOX_PREFIX: {
    kind: 'text',
    programs: CONNECTED,
    default: '',
    otherwise: '`_INBOX`; set by `npm start`',
    meaning: 'How the subjects begin at which answers arrive, where a user may not subscribe to all',
  },
  NATS_CA_FILE: {
    kind: 'text',
    programs: CONNECTED,
    default: '',
    otherwise: 'the authorities of the system',
    meaning: 'PEM file of the authority of the servers’ certificates; connects by TLS',
  },
  NATS_CERT_FILE: {
    kind: 'text',
    programs: CONNECTED,
    default: '',
    meaning: 'PEM file of the certificate of this program, where the servers require one',
  },
  NATS_KEY_FILE: {
    kind: 'text',
    programs: CONNECTED,
    default: '',
    meaning: 'PEM file of the key of that certificate',
  },
} as const satisfies SettingsTable

const count = {
  kind: 'number',
  programs: CONNECTED,
  unit: 'streams',
  otherwise: '1',
  min: 1,
  max: 1024,
} as const

export const STREAMS = {
  NATS_REPLICAS: {
    kind: 'number',
    programs: CONNECTED,
    unit: '',
    default: 1,
    min: 1,
    max: 5,
    meaning:
      'Copies of every stream and bucket: 3 on three servers. Can be raised later, streams follow on the next start',
  },
  STREAM_RETENTION_DAYS: {
    kind: 'number',
    programs: CONNECTED,
    unit: 'days',
    default: 7,
    min: 1,
    max: 3650,
    meaning: 'How long streams keep messages: how long ClickHouse may be away, and how far back a backup of it may lie',
    beyond: 'the message is removed from the stream',
  },
  STREAM_MAX_GB: {
    kind: 'number',
    programs: CONNECTED,
    unit: 'GB',
    otherwise: 'a share of the free disk',
    meaning: 'Size of a stream; 0: no limit',
    beyond: 'collectors answer `503` until older messages are past their days',
  },
  NATS_STORE_DIR: {
    kind: 'text',
    programs: CONNECTED,
    default: '',
    otherwise: 'none; set by `npm start`',
    meaning: 'Folder of the data of nats-server, where that is on this machine: the sizes of streams are taken from it',
  },
  PARTITIONS: {
    kind: 'number',
    programs: CONNECTED,
    unit: 'partitions',
    default: 32,
    min: 1,
    max: 1024,
    meaning: 'Partitions of a new installation; an existing one keeps its number',
  },
  EVENTS_STREAMS: {
    ...count,
    meaning: 'Streams of events of a new installation that share the partitions; each is loaded by one process',
  },
  DECISIONS_STREAMS: { ...count, meaning: 'The same for decisions' },
  SIGNALS_STREAMS: { ...count, meaning: 'The same for signals' },
  REJECTED_STREAMS: { ...count, meaning: 'The same for rejected messages' },
  DELIVERIES_STREAMS: { ...count, meaning: 'The same for attempts to deliver signals to webhooks' },
  LEARNING_STREAMS: { ...count, meaning: 'The same for what came of decisions, from which policies learn' },
} as const satisfies SettingsTable
