import { connect } from '@nats-io/transport-node'
import { connectionOptions } from './nats.js'
import type { NatsAccess } from './nats-access.js'

/**
 * Tells whether JetStream answers a question about a stream within `timeoutMs` milliseconds: a server may take
 * connections and yet be stuck for good, as nats-server 2.9 is after its disk was full.
 */
export async function jetStreamAnswers(access: NatsAccess, timeoutMs: number): Promise<boolean> {
  try {
    const connection = await connect({ ...connectionOptions(access), reconnect: false, timeout: timeoutMs })
    try {
      // That there is no such stream is an answer, too.
      await connection.request('$JS.API.STREAM.INFO.PROBE', '', { timeout: timeoutMs })
      return true
    } finally {
      await connection.close()
    }
  } catch {
    return false
  }
}
