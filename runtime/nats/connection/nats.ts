import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import {
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  errors,
  type NatsConnection,
} from '@nats-io/transport-node'
import type { Log } from '../../process/log.js'
import { ConfigurationError } from '../../settings/read.js'
import { type NatsAccess, parseNatsUrl } from './nats-access.js'
import { reconnectPauses } from './reconnect-pauses.js'

/** Everything a process needs of NATS. */
export interface Nats {
  connection: NatsConnection
  js: JetStreamClient
  kvm: Kvm
  manager: JetStreamManager
  /** Subjects at which answers arrive begin like this; undefined: as the client has it. */
  readonly inboxPrefix: string | undefined
  /** Whether there is a connection now. While there is none, the client would hold requests back: don't send any. */
  readonly connected: boolean
  /** Calls `listener` after each time the connection was lost and made again, until the returned function is called. */
  onReconnect(listener: () => void): () => void
  /** Asks the servers that are known, those of the settings and those that they tell of, who they are. */
  servers(): Promise<NatsServer[]>
  close(): Promise<void>
}

/** One nats-server. */
export interface NatsServer {
  name: string
  version: string
}

/** How long a server may take to say who it is, in milliseconds, and how often it is asked. */
const ASK_MS = 5_000
const ASK_ATTEMPTS = 4

/**
 * Connects and stays connected: the first connection is waited for, a lost one is made again, without end.
 *
 * @param access the settings, or a URL, which may have user information
 * @throws ConfigurationError when the servers refuse the user
 */
export async function connectNats(access: NatsAccess | string, name: string, log: Log): Promise<Nats> {
  const { servers, ...rest } = typeof access === 'string' ? parseNatsUrl(access) : access
  const account = connectionOptions({ servers, ...rest })
  const connection = await connect({
    ...account,
    name: `slotstream-${name}`,
    maxReconnectAttempts: -1,
    ...reconnectPauses(250),
    waitOnFirstConnect: true,
    pingInterval: 5_000,
    maxPingOut: 2,
    // Otherwise each request records a stack trace in advance, in case it fails.
    noAsyncTraces: true,
  }).catch(error => {
    if (!(error instanceof errors.AuthorizationError)) throw error
    throw new ConfigurationError(
      `NATS at ${servers.join(', ')} refuses ${rest.user ? `the user ${rest.user}` : 'a connection without a user'}: set NATS_USER and NATS_PASSWORD, or NATS_CREDS_FILE; beside npm start run this as the same user, with the same DATA_DIR`,
    )
  })
  const listeners = new Set<() => void>()
  let connected = true
  void (async () => {
    for await (const status of connection.status()) {
      // Whatever asked gets an error, too, and may well try again without a word.
      if (status.type === 'error' && status.error instanceof errors.PermissionViolationError)
        log.error(
          { operation: status.error.operation, subject: status.error.subject },
          'NATS does not permit this user',
        )
      if (status.type === 'disconnect') {
        connected = false
        log.warn('lost the connection to NATS, reconnecting')
      }
      if (status.type !== 'reconnect') continue
      connected = true
      log.info('connected to NATS again')
      for (const listener of listeners) listener()
    }
  })()
  let closing = false
  // Rejected for good, after a password was changed: the process ends, and its next start says why.
  void connection.closed().then(reason => {
    if (!closing) throw new Error('the connection to NATS was closed for good', { cause: reason })
  })
  const js = jetstream(connection)
  return {
    connection,
    js,
    kvm: new Kvm(js),
    // Does not ask the server whether JetStream is on: during a restart the answer would be a lasting no.
    manager: await jetstreamManager(connection, { checkAPI: false }),
    inboxPrefix: rest.inboxPrefix,
    get connected() {
      return connected
    },
    onReconnect(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async servers() {
      const announced = (connection.info?.connect_urls ?? []).filter(
        url => !servers.some(configured => configured.endsWith(`//${url}`)),
      )
      const answers = await Promise.all(
        [...servers, ...announced].map(url => askServer({ ...account, servers: [url] })),
      )
      return [...new Map(answers.flatMap(each => (each ? [[each.name, each] as const] : []))).values()]
    },
    close() {
      closing = true
      return connection.close()
    },
  }
}

/** Says it in the client's words. */
export function connectionOptions({ servers, user, password, creds, tls, inboxPrefix }: NatsAccess): ConnectionOptions {
  return {
    servers,
    ...(user ? { user, pass: password ?? '' } : {}),
    ...(creds ? { authenticator: credsAuthenticator(new TextEncoder().encode(creds)) } : {}),
    ...(tls ? { tls } : {}),
    ...(inboxPrefix ? { inboxPrefix } : {}),
  }
}

/**
 * Undefined when it doesn't answer. A server gives a handshake of TLS two seconds, which a busy machine may need more
 * than once.
 */
async function askServer(options: ConnectionOptions): Promise<NatsServer | undefined> {
  for (let attempt = 0; attempt < ASK_ATTEMPTS; attempt++) {
    try {
      const connection = await connect({ ...options, reconnect: false, timeout: ASK_MS })
      const { server_name: name = '', version = '' } = connection.info ?? {}
      await connection.close()
      return { name, version }
    } catch {
      // Not there, or too slow: tried again at once, as an operator would.
    }
  }
  return undefined
}
