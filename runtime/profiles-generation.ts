import type { KV } from '@nats-io/kv'
import type { Log } from './log.js'
import type { Nats } from './nats.js'
import { watchBucket } from './watch-bucket.js'

/** Key in the bucket `meta` that says which generation of profiles counts. */
export const PROFILES_KEY = 'profiles'

/** The generation of profiles that counts now, 0 before the first rebuild, and the revision to change it by. */
export async function readGeneration(meta: KV): Promise<{ generation: number; revision: number }> {
  const entry = await meta.get(PROFILES_KEY)
  if (entry?.operation !== 'PUT') return { generation: 0, revision: entry?.revision ?? 0 }
  return { ...entry.json<{ generation: number }>(), revision: entry.revision }
}

/** Makes another generation count, at once for everybody. Throws when somebody else did since `revision` was read. */
export async function switchGeneration(meta: KV, generation: number, revision: number): Promise<void> {
  await meta.put(PROFILES_KEY, JSON.stringify({ generation }), { previousSeq: revision })
}

/** Calls `changed` with each generation that comes to count after `known`, until it is stopped. */
export function watchGeneration(
  nats: Nats,
  meta: KV,
  known: number,
  changed: (generation: number) => void,
  log: Log,
): Promise<{ stop(): void }> {
  let latest = known
  return watchBucket(
    nats,
    meta,
    entry => {
      if (entry.key !== PROFILES_KEY || entry.operation !== 'PUT') return
      const { generation } = entry.json<{ generation: number }>()
      if (generation <= latest) return
      latest = generation
      changed(generation)
    },
    log,
  )
}
