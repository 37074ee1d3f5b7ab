import { errors, type Msg, TimeoutError } from '@nats-io/transport-node'
import { type Nats, pause } from '@slotstream/runtime'

/**
 * How long to look for an owner while a partition moves from one aggregator to another, and how often, in milliseconds.
 */
const HANDOVER_MS = 300
const LOOK_MS = 20

/** A request to the owner of a partition. */
export interface OwnerRequest {
  subject: string
  /** How long the answer may take, in milliseconds. */
  timeoutMs: number
  /** Returns the body, when so many milliseconds have passed since the first attempt. */
  body: (passedMs: number) => string
  /** Role of the owner, for errors. Default: `profiles` */
  role?: string
}

/**
 * Asks the owner of a partition. Resolves to its answer; to `timeout` when it gave none in time; to `unavailable` when
 * NATS cannot be reached, or no aggregator has the partition and none takes it over within a moment.
 */
export async function askOwner(
  nats: Pick<Nats, 'connection' | 'connected'>,
  { subject, timeoutMs, body }: OwnerRequest,
): Promise<Msg | 'timeout' | 'unavailable'> {
  const began = performance.now()
  for (;;) {
    // The client would keep the request until there is a connection, and then ask for what is no longer waited for.
    if (!nats.connected) return 'unavailable'
    const passed = performance.now() - began
    try {
      return await nats.connection.request(subject, body(passed), { timeout: timeoutMs - passed })
    } catch (error) {
      if (error instanceof TimeoutError) return 'timeout'
      const isUnowned = error instanceof errors.RequestError && error.isNoResponders()
      if (!isUnowned || passed > HANDOVER_MS || passed + 2 * LOOK_MS > timeoutMs) return 'unavailable'
      await pause(LOOK_MS)
    }
  }
}
