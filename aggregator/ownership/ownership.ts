import { knownLeases } from './known-leases.js'
import type { Change, Lease, LeaseStore } from './lease-store.js'
import { planShare } from './plan-share.js'

/**
 * A member that could not renew for this long stops acting, in milliseconds by its own clock, counted from when it
 * sent the renewal that succeeded last.
 */
export const STOP_AFTER_MS = 2_000

/**
 * A member whose entry did not change for this long by the observer's clock may be robbed of what it holds. What the
 * clocks of two machines may differ in over such a time, and much more, lies between the two.
 */
export const TAKE_AFTER_MS = 3_000

/** A dead member's entry is removed after this long, in milliseconds. */
const FORGET_AFTER_MS = 60_000

export interface OwnershipParts {
  /** Unique for this process, a token of a key. Ids of later starts of one name are greater, as UUIDv7 are. */
  id: string
  /** What stays the same when the process is started again: its next start takes the place of this one at once. */
  name: string
  resources: readonly string[]
  store: LeaseStore
  /** Milliseconds that only ever grow. */
  now: () => number
  /** Resources this member holds from now on. */
  onGain: (resources: string[]) => void
  /** To finish what is under way for a resource, before another member gets it. Until it resolves, `holds` is true. */
  onRelease: (resource: string) => Promise<void>
  /** A resource that another member has now, or may have: to be dropped as it is. */
  onLose: (resource: string) => void
}

/** One member's part in sharing resources. Nobody leads: all look at the same leases and act by compare-and-set. */
export interface Ownership {
  /** A change in the store. */
  observe(change: Change): void
  /** Renews; to be called about four times per STOP_AFTER_MS, never twice at once. Resolves whatever happens. */
  beat(): Promise<void>
  /** Claims and releases what its share asks for. To be called after changes and from time to time, never twice at once. */
  rebalance(): Promise<void>
  /** Whether this member may act for the resource at this moment. */
  holds(resource: string): boolean
  /** Looks up who holds the resource. False when it is somebody else, who then keeps it. Rejects when it can't be known. */
  verify(resource: string): Promise<boolean>
  /** Releases everything and says goodbye. */
  leave(): Promise<void>
  /** Whether the changes have stopped coming: this member's own renewals aren't among them any more. Said once. */
  isDeaf(): boolean
  /** Ids of the members that live, as far as this one knows. */
  live(): Set<string>
  /** Resources that no living member holds, as far as this one knows. */
  unowned(): string[]
  /** Whether a later start of the same name has taken this member's place. */
  readonly replaced: boolean
}

interface Held {
  epoch: number
  /** False after a lapse, until the lease has been written again. */
  confirmed: boolean
  releasing: boolean
}

export function createOwnership(parts: OwnershipParts): Ownership {
  const { id, name, resources, store, now, onGain, onRelease, onLose } = parts
  const members = new Map<string, { name: string; revision: number; seenAt: number }>()
  const known = knownLeases(store)
  const held = new Map<string, Held>()
  let beatRevision = 0
  let validUntil = Number.NEGATIVE_INFINITY
  let heardAt = now()
  let replaced = false
  let leaving = false

  const valid = () => !replaced && now() < validUntil
  const ownerOf = (resource: string) => known.leaseOf(resource).owner

  function note(resource: string, lease: Lease, revision: number): void {
    if (!known.note(resource, lease, revision)) return
    const own = held.get(resource)
    if (!own) return
    if (lease.owner !== id) lose(resource)
    else own.epoch = Math.max(own.epoch, lease.epoch)
  }

  function lose(resource: string): void {
    if (held.delete(resource)) onLose(resource)
  }

  function noteMember(other: string, member: { name: string; revision: number } | undefined): void {
    if (member) members.set(other, { ...member, seenAt: now() })
    else members.delete(other)
    if (replaced || !member || member.name !== name || other <= id) return
    replaced = true
    for (const resource of [...held.keys()]) lose(resource)
  }

  function live(): Set<string> {
    const ids = new Set([id])
    for (const [other, member] of members)
      if (now() - member.seenAt < TAKE_AFTER_MS && member.name !== name) ids.add(other)
    return ids
  }

  /** Writes a lease; resolves to whether it is as wanted now. What isn't known counts as not. */
  async function write(resource: string, lease: Lease): Promise<boolean> {
    try {
      note(resource, lease, await store.write(resource, lease, known.revisionOf(resource)))
      return true
    } catch {
      // Somebody was faster, or only the answer was lost.
      const found = await refresh(resource)
      return found?.owner === lease.owner && found.epoch === lease.epoch
    }
  }

  /** As the leader of the store has it: what is known here is out of date. Undefined when it can't be known. */
  async function refresh(resource: string): Promise<Lease | undefined> {
    const found = await known.lookUp(resource)
    if (!found) return undefined
    if (found.isRolledBack && found.lease.owner !== id) lose(resource)
    note(resource, found.lease, found.revision)
    return found.lease
  }

  /** Whether what `owner` holds may be taken: it has been quiet, and is, beyond what a late message could hide. */
  async function isGone(owner: string): Promise<boolean> {
    const member = members.get(owner)
    if (!member || member.name === name) return true
    const revision = await store.memberRevision(owner)
    // Who was removed has left, or was quiet for long.
    if (revision === member.revision || revision === 0) return true
    if (revision > member.revision) noteMember(owner, { name: member.name, revision })
    // The store has gone back: what counts is whether it changes from now on.
    else members.set(owner, { ...member, revision })
    return false
  }

  async function claim(resource: string, gone: Map<string, Promise<boolean>>): Promise<boolean> {
    const lease = known.leaseOf(resource)
    if (lease.owner !== '' && lease.owner !== id) {
      if (!gone.has(lease.owner)) gone.set(lease.owner, isGone(lease.owner))
      if (!(await gone.get(lease.owner))) {
        await refresh(resource)
        return false
      }
      if (!valid()) return false
    }
    const own: Held = { epoch: lease.epoch + 1, confirmed: false, releasing: false }
    // Known before it is written, so that the news of our own lease isn't taken for somebody else's.
    held.set(resource, own)
    const written = await write(resource, { owner: id, epoch: own.epoch })
    if (written) own.confirmed = true
    else if (held.get(resource) === own) held.delete(resource)
    return written && held.get(resource) === own
  }

  async function release(resource: string): Promise<void> {
    const own = held.get(resource)
    if (!own || own.releasing) return
    own.releasing = true
    // What it could not finish, the next one does.
    await onRelease(resource).catch(() => undefined)
    if (held.get(resource) !== own) return
    held.delete(resource)
    await giveUp(resource)
  }

  async function giveUp(resource: string): Promise<void> {
    await write(resource, { owner: '', epoch: known.leaseOf(resource).epoch + 1 })
  }

  /** After a lapse, a lease counts again once it could be written again: from then on nobody can have taken it before. */
  async function confirm(resource: string, own: Held): Promise<void> {
    own.epoch++
    if (await write(resource, { owner: id, epoch: own.epoch })) own.confirmed = true
  }

  return {
    observe(change) {
      if (change.kind === 'lease') return note(change.resource, change.lease, change.revision)
      if (change.id === id) heardAt = now()
      if (change.id === id || change.revision <= (members.get(change.id)?.revision ?? 0)) return
      noteMember(change.id, change.note && { name: change.note.name, revision: change.revision })
    },

    async beat() {
      if (replaced || leaving) return
      const sentAt = now()
      const lapsed = sentAt >= validUntil
      try {
        beatRevision = await store.beat(id, { name }, beatRevision)
      } catch {
        // Only the answer may have been lost, or others have given this member up for dead: it begins anew then.
        beatRevision = await store.memberRevision(id).catch(() => beatRevision)
        return
      }
      if (lapsed || now() >= validUntil) {
        // Who could not be heard can't tell who is dead.
        for (const member of members.values()) member.seenAt = now()
        for (const own of held.values()) own.confirmed = false
      }
      if (lapsed) heardAt = now()
      validUntil = sentAt + STOP_AFTER_MS
    },

    async rebalance() {
      if (!valid() || leaving) return
      await Promise.all([...held].map(([resource, own]) => own.confirmed || own.releasing || confirm(resource, own)))
      for (const [other, member] of members)
        if (member.name === name || now() - member.seenAt > FORGET_AFTER_MS)
          await store.removeMember(other).catch(() => undefined)
      // What this member holds no more, though the lease is still written to its name, is free.
      const share = planShare(id, live(), resources, resource =>
        ownerOf(resource) === id && !held.has(resource) ? '' : ownerOf(resource),
      )
      for (const resource of share.release) void release(resource)
      // What it gave up before, when only the news of that was lost: nobody else would ever claim it.
      for (const resource of resources)
        if (ownerOf(resource) === id && !held.has(resource) && !share.claim.includes(resource)) await giveUp(resource)
      const gone = new Map<string, Promise<boolean>>()
      const claimed = await Promise.all(share.claim.map(resource => claim(resource, gone).catch(() => false)))
      const gained = share.claim.filter((resource, index) => claimed[index] && held.has(resource))
      if (gained.length > 0) onGain(gained)
    },

    holds(resource) {
      return valid() && held.get(resource)?.confirmed === true
    },

    async verify(resource) {
      const found = await store.read(resource)
      if (found) note(resource, found.lease, found.revision)
      return held.has(resource)
    },

    async leave() {
      leaving = true
      await Promise.all([...held.keys()].map(release))
      await store.removeMember(id).catch(() => undefined)
    },

    isDeaf() {
      // Without renewals there is nothing to hear.
      if (!valid() || now() - heardAt < TAKE_AFTER_MS) return false
      heardAt = now()
      return true
    },
    live,
    unowned() {
      const living = live()
      return resources.filter(resource => !living.has(ownerOf(resource)))
    },
    get replaced() {
      return replaced
    },
  }
}
