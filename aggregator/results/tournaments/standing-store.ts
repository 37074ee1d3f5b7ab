import type { KV } from '@nats-io/kv'
import { BUCKETS, isObject, standingsKey } from '@slotstream/protocol'
import { type Log, parseEntry, skipEntry } from '@slotstream/runtime'
import type { FollowedStandings } from './follow-candidates.js'

/** Standings of tournaments at the last look, in the bucket `positions`. */
export interface StandingStore {
  read(siteId: string, experimentId: string): Promise<FollowedStandings | undefined>
  write(siteId: string, experimentId: string, standings: FollowedStandings): Promise<void>
}

/** Creates the store. What can't be read is logged, and as if it were not there. */
export function createStandingStore(positions: Pick<KV, 'get' | 'put'>, log: Log): StandingStore {
  return {
    async read(siteId, experimentId) {
      const entry = await positions.get(standingsKey(siteId, experimentId))
      if (entry?.operation !== 'PUT') return undefined
      const parsed = parseEntry(entry, raw =>
        isObject(raw) && isObject(raw.running) && Array.isArray(raw.candidates)
          ? { ok: true, value: raw as unknown as FollowedStandings }
          : { ok: false, reason: 'these are no standings' },
      )
      if (parsed.ok) return parsed.value
      skipEntry(log, BUCKETS.positions, { key: entry.key, revision: entry.revision }, parsed.reason)
      return undefined
    },
    async write(siteId, experimentId, standings) {
      await positions.put(standingsKey(siteId, experimentId), JSON.stringify(standings))
    },
  }
}
