import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import type { Log } from './log.js'
import { reconnectPauses } from './reconnect-pauses.js'

/** Everything a process needs of NATS. */
export interface Nats {
  connection: NatsConnection
  js: JetStreamClient
  kvm: Kvm
  manager: JetStreamManager
  /** Whether there is a connection now. While there is none, the client would hold requests back: don't send any. */
  readonly connected: boolean
  /** Calls `listener` after each time the connection was lost and made again, until the returned function is called. */
  onReconnect(listener: () => void): () => void
  close(): Promise<void>
}

/**
 * Connects and stays connected: the first connection is waited for, a lost one is made again, without end.
 */
export async function connectNats(url: string, name: string, log: Log): Promise<Nats> {
  const connection = await connect({
    servers: url.split(','),
    name: `slotstream-${name}`,
    maxReconnectAttempts: -1,
    ...reconnectPauses(250),
    waitOnFirstConnect: true,
    pingInterval: 5_000,
    maxPingOut: 2,
    // Otherwise each request records a stack trace in advance, in case it fails.
    noAsyncTraces: true,
  })
  const listeners = new Set<() => void>()
  let connected = true
  void (async () => {
    for await (const status of connection.status()) {
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
  const js = jetstream(connection)
  return {
    connection,
    js,
    kvm: new Kvm(js),
    // Does not ask the server whether JetStream is on: during a restart the answer would be a lasting no.
    manager: await jetstreamManager(connection, { checkAPI: false }),
    get connected() {
      return connected
    },
    onReconnect(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: () => connection.close(),
  }
}
