import { TAKE_AFTER_MS } from './known-members.js'
import type { LeaseStore } from './lease-store.js'

/**
 * A member that could not renew for this long stops acting, in milliseconds by its own clock, counted from when it
 * sent the renewal that succeeded last.
 */
export const STOP_AFTER_MS = 2_000

/** The member that renews, and how it writes. */
export interface RenewalDeps {
  /** This member's own id and name: see `OwnershipDeps`. */
  id: string
  name: string
  store: Pick<LeaseStore, 'beat' | 'memberRevision'>
  /** Milliseconds that only ever grow. */
  now: () => number
  /** Called when a renewal succeeds after a lapse: until then, others may have taken this member's leases. */
  onLapse: () => void
}

/** A member's own entry, which it renews to show that it lives. */
export interface Renewal {
  /** Writes the entry again. Resolves whatever happens. Never to be called twice at once. */
  renew(): Promise<void>
  /** Returns whether the last renewal is recent enough to act on. */
  isValid(): boolean
  /** Takes note that the change of this member's own entry has arrived. */
  hear(): void
  /**
   * Returns whether these changes have stopped arriving, though renewals succeed. True once, then again after
   * TAKE_AFTER_MS.
   */
  isDeaf(): boolean
}

/** Creates the renewal of a member that has no entry yet. */
export function createRenewal({ id, name, store, now, onLapse }: RenewalDeps): Renewal {
  let revision = 0
  let validUntil = Number.NEGATIVE_INFINITY
  let heardAt = now()
  const isValid = () => now() < validUntil

  return {
    async renew() {
      const sentAt = now()
      const hadLapsed = sentAt >= validUntil
      try {
        revision = await store.beat(id, { name }, revision)
      } catch {
        // Only the answer may have been lost, or others have removed the entry: the next renewal creates it then.
        revision = await store.memberRevision(id).catch(() => revision)
        return
      }
      if (!isValid()) onLapse()
      // Without renewals there was no change to receive.
      if (hadLapsed) heardAt = now()
      validUntil = sentAt + STOP_AFTER_MS
    },

    isValid,

    hear() {
      heardAt = now()
    },

    isDeaf() {
      if (!isValid() || now() - heardAt < TAKE_AFTER_MS) return false
      heardAt = now()
      return true
    },
  }
}
