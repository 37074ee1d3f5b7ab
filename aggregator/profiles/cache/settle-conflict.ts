import type { StoredProfile } from '../store/profile-store.js'
import type { CacheEntry } from './cache-entries.js'

/** Outcomes for a profile in memory whose write met another revision in the store. */
export type ConflictVerdict =
  /** The profile is written again, at the revision that the store has. */
  | 'keep'
  /** The stored state takes its place. */
  | 'replace'
  /** The profile was made of a state that was out of date. */
  | 'outdated'

/** Compares a profile in memory with what the store has, after a write that met another revision. */
export function settleConflict(entry: CacheEntry, stored: StoredProfile): ConflictVerdict {
  // A first profile of a visitor whose earlier one was removed from the store: nothing was built on that.
  if (!stored.profile && !entry.isFromStore) return 'keep'
  // Another owner, before or after this one, applied the same messages in the same order, and was further.
  if (stored.profile && stored.profile.seq > entry.profile.seq) return 'replace'
  const text = JSON.stringify(stored.profile)
  return entry.sent.some(profile => JSON.stringify(profile) === text) ? 'keep' : 'outdated'
}
