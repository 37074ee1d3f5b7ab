import { connect } from 'node:net'
import { join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inboxPrefixOf, jetStreamAnswers } from '@slotstream/runtime'
import type { Owner } from './data/private-file.js'
import { pick, splitSecrets } from './data/split-secrets.js'
import { natsDir } from './nats/folder.js'
import type { Role } from './nats/permissions.js'
import { accessOf, type NatsUsers } from './nats/users.js'
import type { ServiceSpec } from './process/supervised.js'
import { ANSWER_MS } from './process/watchdog.js'
import type { SupervisorSettings } from './settings.js'

/** Facts that the services need beyond the settings. */
export interface Provided {
  natsServer: string
  /** Of the nats-server that is started here. */
  natsUsers?: NatsUsers
  adminToken: string
  clickhousePassword: string
  /** As this process was started with, for files that are not below the data folder. */
  umask: number
  /** Users that services run as, when not this process's. */
  owners: { clickhouse?: Owner; 'nats-server'?: Owner }
}

/** Secrets that each service is given; no other is. */
const SECRETS_OF_NATS = ['NATS_URL', 'NATS_PASSWORD', 'NATS_CREDS']
const SECRETS: Record<string, string[]> = {
  collector: [...SECRETS_OF_NATS, 'ADMIN_TOKEN'],
  aggregator: [...SECRETS_OF_NATS, 'REDIS_URL'],
  warehouse: [...SECRETS_OF_NATS, 'REDIS_URL', 'CLICKHOUSE_URL', 'CLICKHOUSE_PASSWORD'],
  clickhouse: ['CLICKHOUSE_PASSWORD'],
}

/** Settings for NATS servers of one's own, which are not meant for the one that is started here. */
const OWN_NATS = ['NATS_CREDS', 'NATS_CREDS_FILE', 'NATS_CA_FILE', 'NATS_CERT_FILE', 'NATS_KEY_FILE']

/** Environment of programs that are not trusted with more than their work. */
const PLAIN_ENV = ['PATH', 'HOME', 'LANG', 'LC_*', 'TZ', 'TMPDIR', 'TEMP', 'SYSTEMROOT']
const CLICKHOUSE_ENV = [...PLAIN_ENV, 'NODE_*', 'LOG_LEVEL', 'DATA_DIR', 'CLICKHOUSE_*', 'ALLOWED_HOSTS']

/** Configuration of the nats-server that is started here, in the data folder. */
export const NATS_CONFIG = 'nats-server.conf'

/** Program of the embedded ClickHouse, from the root of the repository. */
export const EMBEDDED_PROGRAM = 'clickhouse/dist/main.js'

/** User of the embedded ClickHouse that may write; its password is kept under the data folder. */
const EMBEDDED_USER = 'slotstream'

/** How long a service may take to say whether it is ready, in milliseconds. */
const READY_MS = 2_000

const OWN_PATHS = { ready: '/readyz', alive: '/healthz' }

/** Returns the services that `npm start` runs, in the order in which they are stopped. */
export function serviceSpecs(settings: SupervisorSettings, provided: Provided, base: NodeJS.ProcessEnv): ServiceSpec[] {
  const { dataDir } = settings
  const embedded = settings.clickhouseUrl === ''
  const { natsUsers } = provided
  const { open: env, secrets } = splitSecrets(serviceEnv(settings, provided, base))
  const isOk = async (url: string, timeoutMs: number) =>
    (await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })).ok
  const node = (
    name: string,
    program: string,
    url: string,
    paths: { ready: string; alive: string },
    extra: NodeJS.ProcessEnv = {},
  ): ServiceSpec => ({
    name,
    command: process.execPath,
    args: [fileURLToPath(new URL(`../../${program}`, import.meta.url))],
    env: { ...env, ...accountOf(name, natsUsers).env, ...extra },
    secrets: pick({ ...secrets, ...accountOf(name, natsUsers).secrets }, SECRETS[name] ?? []),
    logFile: join(dataDir, 'logs', `${name}.log`),
    isReady: () => isOk(url + paths.ready, READY_MS),
    answers: () => isOk(url + paths.alive, ANSWER_MS),
    ours: true,
  })

  const aggregator = (name: string, roles: string, port: number) =>
    node(name, 'aggregator/dist/main.js', `http://127.0.0.1:${port}`, OWN_PATHS, {
      ROLES: roles,
      AGGREGATOR_PORT: String(port),
    })

  const warehouse = aggregator('warehouse', 'warehouse,webhooks,batch', settings.warehousePort)
  // Not before: at the lowest priority, tables take minutes to be made on a machine that is busy.
  const givesWay = warehouse.isReady
  const services = [
    node('collector', 'collector/dist/main.js', `http://127.0.0.1:${settings.port}`, OWN_PATHS),
    // Apart, because a visitor waits for the one only: loading a block takes the processor for
    // tens of milliseconds at a time.
    aggregator('aggregator', 'profiles,decisions', settings.aggregatorPort),
    // What it writes is the lake, which other users may be meant to read.
    {
      ...warehouse,
      givesWay,
      ...(isWithin(dataDir, settings.lakeDir) ? {} : { umask: provided.umask }),
    },
  ]
  if (embedded) {
    const clickhouse = node('clickhouse', EMBEDDED_PROGRAM, `http://127.0.0.1:${settings.clickhousePort}`, {
      ready: '/ping',
      alive: '/ping',
    })
    const owner = provided.owners.clickhouse
    const folder = join(dataDir, 'clickhouse')
    services.push({
      ...clickhouse,
      ...(owner ? { owner } : {}),
      env: {
        ...pick(env, CLICKHOUSE_ENV),
        ...(owner ? { HOME: folder } : {}),
        CLICKHOUSE_PORT: String(settings.clickhousePort),
        CLICKHOUSE_DATA_DIR: folder,
        // Every running query holds a thread of libuv's pool; the default of four would starve file reads.
        UV_THREADPOOL_SIZE: '24',
      },
      // A visitor waits for an answer; merges and an analyst's big query can wait for the visitor.
      givesWay,
    })
  }
  return natsUsers ? [...services, natsServerSpec(settings, provided, natsUsers, env)] : services
}

/** Returns the environment of all services, before secrets are taken out of it. */
function serviceEnv(settings: SupervisorSettings, provided: Provided, base: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const embedded = settings.clickhouseUrl === ''
  const fromBase = { ...base }
  if (provided.natsUsers) for (const name of OWN_NATS) delete fromBase[name]
  return {
    ...fromBase,
    DATA_DIR: settings.dataDir,
    PORT: String(settings.port),
    NATS_URL: settings.natsUrl || `nats://127.0.0.1:${settings.natsPort}`,
    CLICKHOUSE_URL: settings.clickhouseUrl || `http://127.0.0.1:${settings.clickhousePort}`,
    CLICKHOUSE_USER: embedded ? EMBEDDED_USER : settings.clickhouseUser,
    CLICKHOUSE_PASSWORD: embedded ? provided.clickhousePassword : settings.clickhousePassword,
    ADMIN_TOKEN: provided.adminToken,
    ...(settings.natsUrl ? {} : { NATS_STORE_DIR: natsDir(settings.dataDir) }),
  }
}

function natsServerSpec(
  { dataDir, natsPort }: SupervisorSettings,
  { natsServer, owners }: Provided,
  users: NatsUsers,
  env: NodeJS.ProcessEnv,
): ServiceSpec {
  const owner = owners['nats-server']
  return {
    name: 'nats-server',
    command: natsServer,
    args: ['-c', join(dataDir, NATS_CONFIG)],
    env: pick(env, PLAIN_ENV),
    ...(owner ? { owner } : {}),
    logFile: join(dataDir, 'logs', 'nats-server.log'),
    isReady: () => listens(natsPort),
    answers: () => jetStreamAnswers(accessOf('supervisor', users, natsPort), ANSWER_MS),
    ours: false,
  }
}

function isWithin(folder: string, path: string): boolean {
  return path !== '' && `${resolve(path)}${sep}`.startsWith(`${folder}${sep}`)
}

/** Returns the account of a service on the nats-server that is started here: the user in the open, the password not. */
function accountOf(
  name: string,
  users: NatsUsers | undefined,
): { env: Record<string, string>; secrets: Record<string, string> } {
  const role = name as Role
  if (!users?.[role]) return { env: {}, secrets: {} }
  return {
    env: { NATS_USER: role, NATS_INBOX_PREFIX: inboxPrefixOf(role) },
    secrets: { NATS_PASSWORD: users[role] },
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
