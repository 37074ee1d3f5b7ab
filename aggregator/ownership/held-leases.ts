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
  /** Whether this member has the lease, though it may have lapsed, or not be written yet. */
  has(resource: string): boolean
  /** Whether the lease is written, and has not lapsed since. */
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
  /** From now on no lease is confirmed. */
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
  const known = knownLeases(store)
  const held = new Map<string, Held>()

  function note(resource: string, lease: Lease, revision: number): void {
    if (!known.note(resource, lease, revision)) return
    const mine = held.get(resource)
    if (!mine) return
    if (lease.owner !== id) lose(resource)
    else mine.epoch = Math.max(mine.epoch, lease.epoch)
  }

  function lose(resource: string): void {
    if (held.delete(resource)) onLose(resource)
  }

  async function refresh(resource: string): Promise<Lease | undefined> {
    const found = await known.lookUp(resource)
    if (!found) return undefined
    if (found.isRolledBack && found.lease.owner !== id) lose(resource)
    note(resource, found.lease, found.revision)
    return found.lease
  }

  /** Writes a lease. Resolves to whether it is as wanted now: what can't be known is not. */
  async function write(resource: string, lease: Lease): Promise<boolean> {
    try {
      note(resource, lease, await store.write(resource, lease, known.revisionOf(resource)))
      return true
    } catch {
      // Another member was faster, or only the answer was lost.
      const found = await refresh(resource)
      return found?.owner === lease.owner && found.epoch === lease.epoch
    }
  }

  async function release(resource: string): Promise<void> {
    const mine = held.get(resource)
    if (!mine || mine.isReleasing) return
    mine.isReleasing = true
    // Work that could not end is done by the next owner.
    await onRelease(resource).catch(() => undefined)
    if (held.get(resource) !== mine) return
    held.delete(resource)
    await giveUp(resource)
  }

  async function giveUp(resource: string): Promise<void> {
    await write(resource, { owner: '', epoch: known.leaseOf(resource).epoch + 1 })
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
    ownerOf: resource => known.leaseOf(resource).owner,
    has: resource => held.has(resource),
    isConfirmed: resource => held.get(resource)?.isConfirmed === true,

    async verify(resource) {
      const found = await store.read(resource)
      if (found) note(resource, found.lease, found.revision)
      return held.has(resource)
    },

    async claim(resource) {
      const mine: Held = { epoch: known.leaseOf(resource).epoch + 1, isConfirmed: false, isReleasing: false }
      // Held before it is written, so that the news of the own lease isn't taken for that of another member's.
      held.set(resource, mine)
      const isWritten = await write(resource, { owner: id, epoch: mine.epoch })
      if (isWritten) mine.isConfirmed = true
      else if (held.get(resource) === mine) held.delete(resource)
      return isWritten && held.get(resource) === mine
    },

    async releaseAll() {
      await Promise.all([...held.keys()].map(release))
    },

    async confirmLapsed() {
      const lapsed = [...held].filter(([, { isConfirmed, isReleasing }]) => !isConfirmed && !isReleasing)
      await Promise.all(lapsed.map(([resource, mine]) => confirm(resource, mine)))
    },

    lapse() {
      for (const mine of held.values()) mine.isConfirmed = false
    },

    loseAll() {
      for (const resource of [...held.keys()]) lose(resource)
    },
  }
}
