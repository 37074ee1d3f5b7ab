/** Facts known of a visitor's profile in the store. */
export interface KnownRevision {
  /** Revision that the store had when it was last read or written from here; 0 where it had nothing. */
  revision: number
  /** True if the store had a profile then. */
  isFromStore: boolean
}

/**
 * Revisions that are remembered. What was read for a message may have to leave memory before the message is applied; of
 * the others a write learns the revision.
 */
const MAX_REVISIONS = 1_000

/** Revisions of profiles that are not in memory, the newest 1,000. */
export interface EvictedRevisions {
  get(key: string): KnownRevision | undefined
  note(key: string, revision: number, isFromStore: boolean): void
  delete(key: string): void
}

/** Creates an empty memory of revisions. */
export function createEvictedRevisions(): EvictedRevisions {
  const revisions = new Map<string, KnownRevision>()
  return {
    get: key => revisions.get(key),
    note(key, revision, isFromStore) {
      revisions.delete(key)
      revisions.set(key, { revision, isFromStore })
      const [oldest] = revisions.keys()
      if (revisions.size > MAX_REVISIONS && oldest !== undefined) revisions.delete(oldest)
    },
    delete(key) {
      revisions.delete(key)
    },
  }
}
