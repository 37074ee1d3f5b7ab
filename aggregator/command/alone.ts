import { errors } from '@nats-io/transport-node'
import type { Nats } from '@slotstream/runtime'

const SUBJECT = 'slotstream.rebuild'

/** Makes sure that no other rebuild runs. Resolves to what ends that; throws when there is one. */
export async function alone({ connection }: Pick<Nats, 'connection'>): Promise<() => void> {
  try {
    await connection.request(SUBJECT, '', { timeout: 1_000 })
  } catch (error) {
    if (!(error instanceof errors.RequestError && error.isNoResponders())) throw error
    const subscription = connection.subscribe(SUBJECT, { callback: (_error, message) => void message.respond('') })
    await connection.flush()
    return () => subscription.unsubscribe()
  }
  throw new Error('another rebuild is running: wait until it is done')
}
