import type { Lease, LeaseStore } from './lease-store.js'
import { FREE } from './parse-lease.js'

/** The lease of a resource as the leader of the store has it. */
export interface LeaseLookup {
  lease: Lease
  /** 0: there is none. */
  revision: number
  /** True if the store has gone back behind the last known revision, which is then forgotten. */
  isRolledBack: boolean
}

/** The leases, as far as one member knows them. */
export interface KnownLeases {
  leaseOf(resource: string): Lease
  /** Returns the last known revision of a lease; 0 without one. */
  revisionOf(resource: string): number
  /** Notes a lease. False when that, or a later one, was known already. */
  note(resource: string, lease: Lease, revision: number): boolean
  /**
   * Looks up what the leader of the store has, which doesn't count before it is noted. Undefined when it can't be
   * known.
   *
   * A store that has lost its end, with a disk that was full or a power cut, has gone back, and takes nothing at the
   * revisions from before. That is believed when it is found twice: a server that was paused may answer once more as
   * the leader that it was.
   */
  lookUp(resource: string): Promise<LeaseLookup | undefined>
}

/** Creates the empty set of known leases. */
export function knownLeases(store: Pick<LeaseStore, 'read'>): KnownLeases {
  const leases = new Map<string, { lease: Lease; revision: number }>()
  /** Revisions that were found and are older than what was known. */
  const older = new Map<string, number>()
  const revisionOf = (resource: string) => leases.get(resource)?.revision ?? 0

  function isRolledBack(resource: string, lastRevision: number, revision: number): boolean {
    const again = older.get(resource) === revision
    older.delete(resource)
    // News may have come while the answer was under way.
    if (revision >= lastRevision || revisionOf(resource) !== lastRevision) return false
    if (!again) older.set(resource, revision)
    return again
  }

  return {
    leaseOf: resource => leases.get(resource)?.lease ?? FREE,
    revisionOf,
    note(resource, lease, revision) {
      if (revision <= revisionOf(resource)) return false
      leases.set(resource, { lease, revision })
      return true
    },
    async lookUp(resource) {
      const lastRevision = revisionOf(resource)
      try {
        const { lease, revision } = (await store.read(resource)) ?? { lease: FREE, revision: 0 }
        const lookup = { lease, revision, isRolledBack: isRolledBack(resource, lastRevision, revision) }
        if (lookup.isRolledBack) leases.delete(resource)
        return lookup
      } catch {
        return undefined
      }
    },
  }
}
