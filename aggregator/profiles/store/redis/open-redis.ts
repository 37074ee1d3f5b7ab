import { ConfigurationError, type Installation, type Log } from '@slotstream/runtime'
import { createClient } from 'redis'
import { notePublished, removeProfile, writeCheckpoint, writeProfile } from './scripts.js'

/** Time that Redis may take to accept a connection, and to answer, in milliseconds. */
const CONNECT_MS = 5_000
const ANSWER_MS = 5_000

/** Longest pause before it is tried again, in milliseconds. */
const LONGEST_PAUSE_MS = 2_000

/** Names the installation whose profiles a database of Redis has. */
const OWNER_KEY = 'slotstream:installation'

/** A connection to the Redis that has profiles. */
export type Redis = ReturnType<typeof createConnection>

function createConnection(url: string) {
  return createClient({
    url,
    scripts: { writeProfile, notePublished, removeProfile, writeCheckpoint },
    // What is not answered is tried again by its caller, who knows whether it is still wanted.
    disableOfflineQueue: true,
    commandOptions: { timeout: ANSWER_MS },
    socket: {
      connectTimeout: CONNECT_MS,
      reconnectStrategy: attempts => Math.min(100 * 2 ** Math.min(attempts, 10), LONGEST_PAUSE_MS),
    },
  })
}

/**
 * Connects to Redis, which must keep what it is given, and must not have profiles of another installation.
 *
 * @throws ConfigurationError
 */
export async function openRedis(url: string, { privacy }: Pick<Installation, 'privacy'>, log: Log): Promise<Redis> {
  if (!URL.canParse(url) || !['redis:', 'rediss:'].includes(new URL(url).protocol))
    throw new ConfigurationError('REDIS_URL is not an address such as redis://127.0.0.1:6379/0, or rediss:// with TLS')
  const redis = createConnection(url)
  // Without a listener an error would end the process; the client connects again by itself.
  redis.on('error', error => log.warn({ err: error }, 'there is no connection to Redis, connecting again'))
  await redis.connect()
  try {
    await checkEviction(redis)
    await checkOwner(redis, privacy.keyed(OWNER_KEY))
  } catch (error) {
    redis.destroy()
    throw error
  }
  return redis
}

async function checkEviction(redis: Redis): Promise<void> {
  const policy = /^maxmemory_policy:(\S+)/m.exec(await redis.info('memory'))?.[1]
  if (policy !== undefined && policy !== 'noeviction')
    throw new ConfigurationError(
      `the Redis of REDIS_URL evicts keys (maxmemory-policy is ${policy}), and profiles would be lost: set it to noeviction`,
    )
}

async function checkOwner(redis: Redis, installationId: string): Promise<void> {
  await redis.set(OWNER_KEY, installationId, { condition: 'NX' })
  if ((await redis.get(OWNER_KEY)) !== installationId)
    throw new ConfigurationError(
      'the Redis of REDIS_URL has profiles of another installation: name another database, as in redis://127.0.0.1:6379/1',
    )
}
