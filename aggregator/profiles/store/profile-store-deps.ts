import type { Installation, Log, Nats, Publisher } from '@slotstream/runtime'
import type { Redis } from './redis/open-redis.js'

/** Dependencies of the store of a generation of profiles. */
export interface ProfileStoreDeps {
  nats: Nats
  publisher: Pick<Publisher, 'publish'>
  installation: Pick<Installation, 'partitions' | 'generation' | 'buckets' | 'privacy'>
  log: Log
  /** The Redis that has the profiles. Absent: they are in NATS KV */
  redis?: Redis | undefined
}
