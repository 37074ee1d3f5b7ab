import type { SettingsTable } from '../setting.js'

const HTTP = ['collector', 'micro'] as const

/** Where a collector listens and what it serves. */
export const COLLECTOR = {
  HOST: {
    kind: 'text',
    programs: HTTP,
    default: '0.0.0.0',
    in: { micro: { default: '127.0.0.1' } },
    meaning: 'IP address that `PORT` is opened on',
  },
  TRUST_PROXY: {
    kind: 'text',
    programs: HTTP,
    default: 'loopback,linklocal,uniquelocal',
    meaning:
      'Proxies whose `X-Forwarded-For`, `-Host` and `-Proto` are believed: IP addresses, networks such as `10.0.0.0/8`, names of ranges, how many are in a row, or `none`',
  },
  METRICS_PORT: {
    kind: 'number',
    programs: HTTP,
    unit: '',
    default: 0,
    max: 65_535,
    meaning:
      'A port of its own for `/metrics`, which then answers every client that reaches it; 0: answered on `PORT`, to this machine, trusted networks and the admin token',
  },
  METRICS_HOST: {
    kind: 'text',
    programs: HTTP,
    default: '127.0.0.1',
    meaning: 'IP address that `METRICS_PORT` is opened on',
  },
  GEOIP_DATABASE: {
    kind: 'text',
    programs: ['collector'],
    default: '',
    meaning: 'Database of countries or cities in the format of MaxMind; read again when it changes',
  },
  DEMO_DIR: {
    kind: 'text',
    programs: ['collector'],
    otherwise: 'the demo of this project',
    meaning: 'Folder that is served as `/demo/`',
  },
  SDK_FILE: {
    kind: 'text',
    programs: HTTP,
    otherwise: 'the SDK of this project',
    meaning: 'File that is served as `/sdk.js`',
  },
} as const satisfies SettingsTable

const perSecond = { kind: 'number', programs: HTTP, beyond: '`429` with `Retry-After`' } as const

/** Limits of one collector. */
export const COLLECTOR_LIMITS = {
  RATE_LIMIT_ADDRESS: {
    ...perSecond,
    unit: 'requests/s',
    default: 500,
    meaning: 'Requests of one IP address, an IPv6 network counting as one, with bursts of 4 s; 0: no limit',
  },
  RATE_LIMIT_SITE: {
    ...perSecond,
    unit: 'requests/s',
    default: 10_000,
    meaning: 'Requests for one site, unless the site has `requestsPerSecond`, with bursts of 2 s; 0: no limit',
  },
  RATE_LIMIT_ADDRESS_MESSAGES: {
    ...perSecond,
    unit: 'messages/s',
    default: 2_000,
    meaning: 'Messages of one IP address with public keys; 0: no limit',
  },
  RATE_LIMIT_ADDRESS_VISITORS: {
    ...perSecond,
    unit: 'visitors/s',
    default: 500,
    meaning: 'New visitors of one IP address with public keys; 0: no limit',
  },
  RATE_LIMIT_SITE_MESSAGES: {
    ...perSecond,
    unit: 'messages/s',
    default: 5_000,
    meaning: 'Messages of one site with public keys; 0: no limit',
  },
  RATE_LIMIT_SITE_VISITORS: {
    ...perSecond,
    unit: 'visitors/s',
    default: 2_000,
    meaning: 'New visitors of one site with public keys; 0: no limit',
  },
  RATE_LIMIT_SECRET_MESSAGES: {
    ...perSecond,
    unit: 'messages/s',
    default: 50_000,
    meaning: 'Messages of one site with secret keys, from whatever IP address; 0: no limit',
  },
  RATE_LIMIT_SECRET_VISITORS: {
    ...perSecond,
    unit: 'visitors/s',
    default: 20_000,
    meaning: 'New visitors of one site with secret keys; 0: no limit',
  },
  NEW_VISITORS_SLOWDOWN: {
    kind: 'number',
    programs: ['collector'],
    unit: 'times',
    default: 2,
    meaning:
      'How many times as long as usual nine of ten slots may take before fewer new visitors with public keys are let through; 0: any',
    beyond: 'they wait, then `429` with `Retry-After`',
  },
  MAX_IN_FLIGHT_MB: {
    kind: 'number',
    programs: HTTP,
    unit: 'MB',
    default: 32,
    min: 1,
    max: 16_384,
    meaning: 'Bytes of bodies that are received or worked on at a time',
    beyond: '`503` for the slowest bodies, then for the request',
  },
  MAX_OPEN_BODIES_ADDRESS: {
    kind: 'number',
    programs: HTTP,
    unit: 'bodies',
    default: 500,
    min: 1,
    meaning: 'Bodies that one IP address may be sending at a time',
    beyond: '`429` for the slowest',
  },
  MIN_BODY_BYTES_PER_SECOND: {
    kind: 'number',
    programs: HTTP,
    unit: 'bytes/s',
    default: 500,
    meaning: 'What a body must bring on average after `BODY_GRACE_MS`; 0: no limit',
    beyond: '`408` for a slower one',
  },
  BODY_GRACE_MS: {
    kind: 'number',
    programs: HTTP,
    unit: 'ms',
    default: 5_000,
    min: 100,
    meaning: 'How long a body may be slower than that',
    beyond: '`408`',
  },
  MAX_CONNECTIONS: {
    kind: 'number',
    programs: HTTP,
    unit: 'connections',
    default: 20_000,
    min: 1,
    meaning: 'Connections at a time; each needs a file descriptor (`ulimit -n`)',
    beyond: 'the new connection is closed',
  },
  MAX_CONNECTIONS_ADDRESS: {
    kind: 'number',
    programs: HTTP,
    unit: 'connections',
    default: 2_000,
    min: 1,
    meaning: 'Connections of one IP address that is no proxy of `TRUST_PROXY`',
    beyond: 'the oldest idle one of that IP address is closed',
  },
  HEADERS_TIMEOUT_MS: {
    kind: 'number',
    programs: HTTP,
    unit: 'ms',
    default: 10_000,
    min: 100,
    meaning: 'How long a client may take for its headers',
    beyond: 'the connection is closed',
  },
  REQUEST_TIMEOUT_MS: {
    kind: 'number',
    programs: HTTP,
    unit: 'ms',
    default: 30_000,
    min: 100,
    meaning: 'How long a client may take for a whole request',
    beyond: 'the connection is closed',
  },
  EXPORT_STALL_MS: {
    kind: 'number',
    programs: HTTP,
    unit: 'ms',
    default: 120_000,
    min: 100,
    max: 2 ** 31 - 1,
    meaning: 'Time that the client of a person’s export may read nothing of it; noticed within twice that',
    beyond: 'the export breaks off',
  },
} as const satisfies SettingsTable
