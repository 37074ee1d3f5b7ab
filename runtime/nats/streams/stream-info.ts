import type { StreamInfo } from '@nats-io/jetstream'
import type { Nats } from '../connection/nats.js'

/**
 * Reads the state of a stream; resolves to undefined where there is none of that name. Rejects when it can't be known.
 */
export async function streamInfo(nats: Nats, name: string): Promise<StreamInfo | undefined> {
  try {
    return await nats.manager.streams.info(name)
  } catch (error) {
    if (error instanceof Error && error.name === 'StreamNotFoundError') return undefined
    throw error
  }
}
