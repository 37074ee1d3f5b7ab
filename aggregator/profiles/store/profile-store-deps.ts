import type { Installation, Log, Nats, Publisher } from '@slotstream/runtime'
import type { Redis } from './redis/open-redis.js'

/** Dependencies of the store of a generation of profiles. */
export interface ProfileStoreDeps {
  nats: Nats
  /**
   * Connection on which stored profiles are read. A server answers one connection's requests in turn, and for some of
   * these it reads megabytes or looks at all keys: nothing else may queue behind them. Default: `nats`
   */
  reader?: Nats | undefined
  publisher: Pick<Publisher, 'publish'>
  installation: Pick<Installation, 'partitions' | 'generation' | 'buckets' | 'privacy'>
  log: Log
  /** The Redis that has the profiles. Absent: they are in NATS KV */
  redis?: Redis | undefined
}
