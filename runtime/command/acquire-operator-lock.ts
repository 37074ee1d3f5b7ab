import { errors } from '@nats-io/transport-node'
import type { Nats } from '../nats/connection/nats.js'

const SUBJECT = 'slotstream.rebuild'

/**
 * Makes sure that no other command runs that must run alone. Resolves to the function that releases the lock.
 *
 * @param command what runs under it, for the error that another one gets
 * @throws Error that names the command that is running
 */
export async function acquireOperatorLock(
  { connection }: Pick<Nats, 'connection'>,
  command: string,
): Promise<() => void> {
  let holder: string
  try {
    holder = (await connection.request(SUBJECT, '', { timeout: 1_000 })).string()
  } catch (error) {
    if (!(error instanceof errors.RequestError && error.isNoResponders())) throw error
    const subscription = connection.subscribe(SUBJECT, { callback: (_error, message) => void message.respond(command) })
    await connection.flush()
    return () => subscription.unsubscribe()
  }
  throw new Error(`"npm run ${holder || 'rebuild'}" is running: wait until it is done`)
}
