import type { KV } from '@nats-io/kv'
import { type Check, isCount } from '@slotstream/protocol'
import { usableValue } from '../nats/buckets/skipped-entries.js'
import { watchBucket } from '../nats/buckets/watch-bucket.js'
import type { Nats } from '../nats/connection/nats.js'
import type { Log } from '../process/log.js'
import { readMeta } from './meta-copy.js'

/** Key in the bucket `meta` that says which generation of profiles counts. */
export const PROFILES_KEY = 'profiles'

/** Reads the generation of profiles that is in effect, 0 before the first rebuild, and the revision to change it by. */
export async function readGeneration(meta: KV, log?: Log): Promise<{ generation: number; revision: number }> {
  const { value, revision } = await readMeta(meta, PROFILES_KEY, parseGeneration, log)
  return { generation: value ?? 0, revision }
}

/**
 * Reads the generation as `readGeneration` does; where none was ever named it is written down, so that its loss can be
 * told from a first start.
 */
export async function firstGeneration(meta: KV, log: Log): Promise<{ generation: number }> {
  const stored = await readGeneration(meta, log)
  if (stored.revision === 0) await meta.create(PROFILES_KEY, JSON.stringify({ generation: 0 })).catch(() => {})
  return stored
}

function parseGeneration(raw: unknown): Check<number> {
  const { generation } = (raw ?? {}) as { generation?: unknown }
  return isCount(generation)
    ? { ok: true, value: generation }
    : { ok: false, reason: 'generation is not a whole number from 0' }
}

/** Puts another generation into effect, at once for all processes. Throws when another process did since `revision` was
 * read. */
export async function switchGeneration(meta: KV, generation: number, revision: number): Promise<void> {
  await meta.put(PROFILES_KEY, JSON.stringify({ generation }), { previousSeq: revision })
}

/** Calls `changed` with each generation that comes to count after `known`, until it is stopped. */
export function watchGeneration(
  nats: Nats,
  meta: KV,
  current: number,
  changed: (generation: number) => void,
  log: Log,
): Promise<{ stop(): void }> {
  let latest = current
  return watchBucket(
    nats,
    meta,
    entry => {
      if (entry.key !== PROFILES_KEY || entry.operation !== 'PUT') return
      const generation = usableValue('meta', entry, parseGeneration, log)
      if (generation === undefined || generation <= latest) return
      latest = generation
      changed(generation)
    },
    log,
  )
}
