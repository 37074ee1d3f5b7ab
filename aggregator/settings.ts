import { hostname } from 'node:os'
import {
  ConfigurationError,
  clickHouseUrl,
  type Environment,
  numberSetting,
  secretSetting,
  sharedSettings,
  textSetting,
} from '@slotstream/runtime'
import { defaultProfileMemory } from './profiles/profile-memory.js'

const MB = 1024 * 1024

const ROLES = ['warehouse', 'profiles', 'decisions', 'webhooks', 'batch'] as const

export type Role = (typeof ROLES)[number]

/**
 * Settings of the aggregator, with their defaults. `--roles a,b` comes before ROLES. Throws ConfigurationError.
 *
 * @param args the arguments of the command line, without node and script
 */
export function aggregatorSettings(args: string[], env: Environment) {
  const lakeDir = textSetting('LAKE_DIR', env)
  const named = rolesFrom(roleArgument(args) ?? textSetting('ROLES', env))
  const parity = { sample: numberSetting('PARITY_SAMPLE', env), hour: numberSetting('PARITY_HOUR', env) }
  const redraw = { sample: numberSetting('REDRAW_SAMPLE', env), hour: parity.hour }
  const itemModels = itemModelSettings(env)
  const hasNightly = parity.sample > 0 || redraw.sample > 0
  const experiments = { everyMs: 1_000 * numberSetting('EXPERIMENTS_LOOK_S', env) }
  const hasWork = lakeDir || hasNightly || itemModels.everyMs > 0 || experiments.everyMs > 0
  const roles = named.filter(role => role !== 'batch' || hasWork)
  if (roles.length === 0)
    throw new ConfigurationError(
      'ROLES has only batch, which has nothing to do: set LAKE_DIR to the folder of a lake, or PARITY_SAMPLE, REDRAW_SAMPLE, ITEM_MODELS_MINUTES or EXPERIMENTS_LOOK_S above 0',
    )
  return {
    ...sharedSettings(env),
    /**
     * Roles of this process: all or some; `batch` where it has something to do. Decisions need the profiles in the same
     * process.
     */
    roles,
    /** Name of this process among several. When one of the same name starts, it takes this one's place at once. */
    name: textSetting('AGGREGATOR_NAME', env) ?? `${hostname()}:${numberSetting('AGGREGATOR_PORT', env)}`,
    /** Port that answers `/healthz`, `/readyz` and `/metrics`. */
    port: numberSetting('AGGREGATOR_PORT', env),
    host: textSetting('AGGREGATOR_HOST', env),
    /** Profiles kept in memory, about 4 KB each; others are read back when they are needed. */
    maxProfiles: numberSetting('MAX_PROFILES', env),
    /** Bytes that they may take. */
    maxProfileBytes: (numberSetting('PROFILES_MEMORY_MB', env) ?? defaultProfileMemory() / MB) * MB,
    /** Address of the Redis that has the profiles. Undefined: they are in NATS KV. */
    redisUrl: redisUrlSetting(env),
    /** Days after which the profile of a single anonymous visit leaves; 0 for never. */
    anonymousDays: anonymousDaysSetting(env),
    /** Messages a second that are read to count the history of features; 0: no limit. */
    fillRate: numberSetting('PROFILES_FILL_RATE', env),
    /** Time between two snapshots of what policies have learned, in milliseconds. */
    snapshotEveryMs: 1_000 * numberSetting('LEARNING_SNAPSHOT_S', env),
    /** Bytes that what policies have learned may take. */
    learningBytes: learningBytesSetting(env),
    warehouse: warehouseSettings(env),
    webhooks: webhookSettings(env),
    /** Visitors of each site whose profiles are compared with the tables every night, and the hour of that, UTC. */
    parity,
    /** Decisions of each site that are drawn again every night, and the hour of that, UTC. */
    redraw,
    itemModels,
    /** Time between two looks at experiments and at draws, in milliseconds; 0: none. */
    experiments,
    lake: {
      /** The folder that the role `batch` keeps Parquet files in. Empty: there is no lake. */
      dir: lakeDir,
      /** Time between two files of a stream, in milliseconds. */
      everyMs: 1_000 * numberSetting('LAKE_EVERY_S', env),
    },
    clickhouse: {
      url: clickHouseUrl(env),
      username: textSetting('CLICKHOUSE_USER', env),
      password: secretSetting('CLICKHOUSE_PASSWORD', env),
      /** Name of the cluster that the tables are made on, replicated. Empty: a single server, or ClickHouse Cloud. */
      cluster: textSetting('CLICKHOUSE_CLUSTER', env),
    },
  }
}

/** Reads how many bytes what policies have learned may take. */
export function learningBytesSetting(env: Environment): number {
  return MB * numberSetting('LEARNING_MEMORY_MB', env)
}

/** Settings for fitting and keeping matrices of items. */
export interface ItemModelSettings {
  /** Time between two fits, in milliseconds; 0: none are fitted, nor used. */
  everyMs: number
  /** Bytes that they may take in a process that decides. */
  maxBytes: number
}

function itemModelSettings(env: Environment): ItemModelSettings {
  return {
    everyMs: 60_000 * numberSetting('ITEM_MODELS_MINUTES', env),
    maxBytes: MB * numberSetting('ITEM_MODELS_MEMORY_MB', env),
  }
}

/** Bounds of a block that an operator can set, and their defaults. */
export interface WarehouseSettings {
  /** Time that a block waits for more rows, in milliseconds. Less: fresher tables, more and smaller parts. */
  maxAgeMs: number
  /** Rows of a block at most (a message's rows stay together). */
  maxRows: number
}

/** Reads the settings of the warehouse. */
export function warehouseSettings(env: Environment): WarehouseSettings {
  return { maxAgeMs: numberSetting('WAREHOUSE_FLUSH_MS', env), maxRows: numberSetting('WAREHOUSE_BLOCK_ROWS', env) }
}

/** Settings for the delivery of signals to webhooks. */
export interface WebhookSettings {
  /** True if URLs without TLS and IP addresses of private networks are permitted. */
  allowPrivate: boolean
  /** Time that the status of an answer may take, in milliseconds. */
  timeoutMs: number
  /** First and longest pause before another attempt, and the time after which none follows, in milliseconds. */
  retryMs: number
  longestRetryMs: number
  giveUpMs: number
  /** Bounds of one webhook, over all partitions. */
  maxPending: number
  maxLetters: number
  /** Requests of this process to one webhook at a time. */
  atOnce: number
}

/** Reads the settings of webhooks. */
export function webhookSettings(env: Environment): WebhookSettings {
  return {
    allowPrivate: numberSetting('WEBHOOK_ALLOW_PRIVATE', env) === 1,
    timeoutMs: numberSetting('WEBHOOK_TIMEOUT_MS', env),
    retryMs: 1_000 * numberSetting('WEBHOOK_RETRY_S', env),
    longestRetryMs: 1_000 * numberSetting('WEBHOOK_RETRY_LONGEST_S', env),
    giveUpMs: 1_000 * numberSetting('WEBHOOK_GIVE_UP_S', env),
    maxPending: numberSetting('WEBHOOK_PENDING', env),
    maxLetters: numberSetting('WEBHOOK_DEAD_LETTERS', env),
    atOnce: numberSetting('WEBHOOK_AT_ONCE', env),
  }
}

/** Address of the Redis that has the profiles; undefined where they are in NATS KV. Throws ConfigurationError. */
export function redisUrlSetting(env: Environment): string | undefined {
  const store = textSetting('PROFILE_STORE', env)
  const url = secretSetting('REDIS_URL', env)
  if (store === 'nats') return undefined
  if (store !== 'redis') throw new ConfigurationError(`PROFILE_STORE is "${store}": it is nats or redis`)
  if (url === '') throw new ConfigurationError('PROFILE_STORE is redis: set REDIS_URL, as in redis://127.0.0.1:6379/0')
  return url
}

/** Days after which the profile of a single anonymous visit leaves: the same for the roles and for a rebuild. */
export function anonymousDaysSetting(env: Environment): number {
  return numberSetting('ANONYMOUS_PROFILE_DAYS', env)
}

function roleArgument(args: string[]): string | undefined {
  const index = args.indexOf('--roles')
  if (index >= 0) return args[index + 1] ?? ''
  return args.find(arg => arg.startsWith('--roles='))?.slice('--roles='.length)
}

function rolesFrom(text: string): Role[] {
  const names = text.split(',').map(name => name.trim())
  const roles = ROLES.filter(role => names.includes(role))
  const unknown = names.find(name => !ROLES.includes(name as Role))
  if (unknown !== undefined)
    throw new ConfigurationError(`ROLES has "${unknown}": give one or more of ${ROLES.join(', ')}, with commas between`)
  if (roles.includes('decisions') && !roles.includes('profiles'))
    throw new ConfigurationError('ROLES has decisions without profiles: decisions need both, add profiles')
  return roles
}
