import { knownLeases } from './known-leases.js'
import type { Lease, LeaseStore } from './lease-store.js'

/** The member that holds leases, and what it does about their end. */
export interface HeldLeasesDeps {
  /** This member's own id, as leases name their owner. */
  id: string
  store: Pick<LeaseStore, 'write' | 'read'>
  /** Finishes work under way for a resource that is about to be given up. */
  onRelease: (resource: string) => Promise<void>
  /** Called when another member has the resource, or may have it. */
  onLose: (resource: string) => void
}

/** The leases that one member holds, and how it gets and gives them up: by compare-and-set on what it knows. */
export interface HeldLeases {
  /** Takes note of a lease that was written. */
  note(resource: string, lease: Lease, revision: number): void
  /** Returns the id in the lease; '' for none. It may be this member's own for a lease that it no longer holds. */
  ownerOf(resource: string): string
  /** Returns whether this member has the lease, though it may have lapsed, or not be written yet. */
  has(resource: string): boolean
  /** Returns whether the lease is written, and has not lapsed since. */
  isConfirmed(resource: string): boolean
  /** Looks the lease up. False when another member has it. Rejects when that can't be known. */
  verify(resource: string): Promise<boolean>
  /** Looks up a lease that may be out of date here. Undefined when it can't be known. */
  refresh(resource: string): Promise<Lease | undefined>
  /** Writes this member's id into the lease, whichever it has. Resolves to whether that succeeded and lasts. */
  claim(resource: string): Promise<boolean>
  /** Lets work under way end, then gives the lease up. */
  release(resource: string): Promise<void>
  releaseAll(): Promise<void>
  /** Frees a lease in the store, whether it is held or not. */
  giveUp(resource: string): Promise<void>
  /** Writes all leases that have lapsed again: once that succeeded, no other member can have had them in between. */
  confirmLapsed(): Promise<void>
  /** Marks all leases as no longer confirmed. */
  lapse(): void
  /** Drops all leases as they are. */
  loseAll(): void
}

interface Held {
  epoch: number
  /** False after a lapse, until the lease has been written again. */
  isConfirmed: boolean
  isReleasing: boolean
}

/** Creates the leases of a member that holds none yet. */
export function createHeldLeases({ id, store, onRelease, onLose }: HeldLeasesDeps): HeldLeases {
  const lastSeen = knownLeases(store)
  const heldLeases = new Map<string, Held>()

  function note(resource: string, lease: Lease, revision: number): void {
    if (!lastSeen.note(resource, lease, revision)) return
    const mine = heldLeases.get(resource)
    if (!mine) return
    if (lease.owner !== id) lose(resource)
    else mine.epoch = Math.max(mine.epoch, lease.epoch)
  }

  function lose(resource: string): void {
    if (heldLeases.delete(resource)) onLose(resource)
  }

  async function refresh(resource: string): Promise<Lease | undefined> {
    const current = await lastSeen.lookUp(resource)
    if (!current) return undefined
    if (current.isRolledBack && current.lease.owner !== id) lose(resource)
    note(resource, current.lease, current.revision)
    return current.lease
  }

  /** Writes a lease. Resolves to whether it is as wanted now: what can't be known is not. */
  async function write(resource: string, lease: Lease): Promise<boolean> {
    try {
      note(resource, lease, await store.write(resource, lease, lastSeen.revisionOf(resource)))
      return true
    } catch {
      // Another member was faster, or only the answer was lost.
      const current = await refresh(resource)
      return current?.owner === lease.owner && current.epoch === lease.epoch
    }
  }

  async function release(resource: string): Promise<void> {
    const mine = heldLeases.get(resource)
    if (!mine || mine.isReleasing) return
    mine.isReleasing = true
    // Work that could not end is done by the next owner.
    await onRelease(resource).catch(() => undefined)
    if (heldLeases.get(resource) !== mine) return
    heldLeases.delete(resource)
    await giveUp(resource)
  }

  async function giveUp(resource: string): Promise<void> {
    await write(resource, { owner: '', epoch: lastSeen.leaseOf(resource).epoch + 1 })
  }

  async function confirm(resource: string, mine: Held): Promise<void> {
    mine.epoch++
    if (await write(resource, { owner: id, epoch: mine.epoch })) mine.isConfirmed = true
  }

  return {
    note,
    refresh,
    release,
    giveUp,
    ownerOf: resource => lastSeen.leaseOf(resource).owner,
    has: resource => heldLeases.has(resource),
    isConfirmed: resource => heldLeases.get(resource)?.isConfirmed === true,

    async verify(resource) {
      const current = await store.read(resource)
      if (current) note(resource, current.lease, current.revision)
      return heldLeases.has(resource)
    },

    async claim(resource) {
      const mine: Held = { epoch: lastSeen.leaseOf(resource).epoch + 1, isConfirmed: false, isReleasing: false }
      // Held before it is written, so that the news of the own lease isn't taken for that of another member's.
      heldLeases.set(resource, mine)
      const isWritten = await write(resource, { owner: id, epoch: mine.epoch })
      if (isWritten) mine.isConfirmed = true
      else if (heldLeases.get(resource) === mine) heldLeases.delete(resource)
      return isWritten && heldLeases.get(resource) === mine
    },

    async releaseAll() {
      await Promise.all([...heldLeases.keys()].map(release))
    },

    async confirmLapsed() {
      const lapsed = [...heldLeases].filter(([, { isConfirmed, isReleasing }]) => !isConfirmed && !isReleasing)
      await Promise.all(lapsed.map(([resource, mine]) => confirm(resource, mine)))
    },

    lapse() {
      for (const mine of heldLeases.values()) mine.isConfirmed = false
    },

    loseAll() {
      for (const resource of [...heldLeases.keys()]) lose(resource)
    },
  }
}
