import { createHeldLeases } from './held-leases.js'
import { createKnownMembers } from './known-members.js'
import type { Change, LeaseStore } from './lease-store.js'
import { planShare } from './plan-share.js'
import { createRenewal } from './renewal.js'

/** The member, what it shares, and what it does when that changes. */
export interface OwnershipDeps {
  /** Unique for this process, a token of a key. Ids of later starts of one name are greater, as UUIDv7 are. */
  id: string
  /** Name that stays when the process is started again: its next start takes the place of this one at once. */
  name: string
  resources: readonly string[]
  store: LeaseStore
  /** Milliseconds that only ever grow. */
  now: () => number
  /** Called with resources that this member holds from now on. */
  onGain: (resources: string[]) => void
  /** Finishes work under way for a resource, before another member gets it. Until it resolves, `holds` is true. */
  onRelease: (resource: string) => Promise<void>
  /** Called with a resource that another member has now, or may have: work on it is dropped as it is. */
  onLose: (resource: string) => void
}

/**
 * One member's part in sharing resources. There is no leader: all read the same leases and write by compare-and-set.
 */
export interface Ownership {
  /** Takes note of a change in the store. */
  observe(change: Change): void
  /**
   * Renews the lease of membership. To be called about four times per STOP_AFTER_MS, never twice at once. Never
   * rejects.
   */
  beat(): Promise<void>
  /**
   * Claims and releases as its share asks for. To be called after changes and from time to time, never twice at once.
   */
  rebalance(): Promise<void>
  /** Returns whether this member may act for the resource at this moment. */
  holds(resource: string): boolean
  /** Looks up the owner of the resource. False when that is another member. Rejects when it can't be known. */
  verify(resource: string): Promise<boolean>
  /** Releases everything and removes this member's entry. */
  leave(): Promise<void>
  /** Returns whether changes have stopped arriving: this member's own renewals are no longer among them. True once. */
  isDeaf(): boolean
  /** Returns the ids of the members that live, as far as this one knows. */
  live(): Set<string>
  /** Returns the resources that no living member holds, as far as this one knows. */
  unowned(): string[]
  /** True if a later start of the same name has taken this member's place. */
  readonly replaced: boolean
}

/** Creates one member's part in sharing: which members live, which leases it has, and what it does about both. */
export function createOwnership({ resources, onGain, ...deps }: OwnershipDeps): Ownership {
  const { id, store } = deps
  const leases = createHeldLeases(deps)
  const members = createKnownMembers({ ...deps, onReplaced: leases.loseAll })
  const renewal = createRenewal({
    ...deps,
    onLapse() {
      members.restartClocks()
      leases.lapse()
    },
  })
  let isLeaving = false

  const isValid = () => !members.isReplaced && renewal.isValid()
  /** Returns whether a lease is free although it is still written to this member's name, which no longer holds it. */
  const isLeftOver = (resource: string) => leases.ownerOf(resource) === id && !leases.has(resource)

  async function claim(resource: string, isGone: (owner: string) => Promise<boolean>): Promise<boolean> {
    const owner = leases.ownerOf(resource)
    if (owner !== '' && owner !== id) {
      if (!(await isGone(owner))) {
        await leases.refresh(resource)
        return false
      }
      // Another member may have been faster, and the lease is known at the revision that it wrote.
      if (!isValid() || leases.ownerOf(resource) !== owner) return false
    }
    return leases.claim(resource)
  }

  async function claimAll(resources: string[]): Promise<void> {
    const isGone = once(members.isGone)
    const claimed = await Promise.all(resources.map(resource => claim(resource, isGone).catch(() => false)))
    const gained = resources.filter((resource, index) => claimed[index] && leases.has(resource))
    if (gained.length > 0) onGain(gained)
  }

  return {
    observe(change) {
      if (change.kind === 'lease') leases.note(change.resource, change.lease, change.revision)
      else if (change.id === id) renewal.hear()
      else members.note(change.id, change.note?.name, change.revision)
    },

    async beat() {
      if (!members.isReplaced && !isLeaving) await renewal.renew()
    },

    async rebalance() {
      if (!isValid() || isLeaving) return
      await leases.confirmLapsed()
      for (const other of members.removable()) await store.removeMember(other).catch(() => undefined)
      const share = planShare(id, members.live(), resources, resource =>
        isLeftOver(resource) ? '' : leases.ownerOf(resource),
      )
      for (const resource of share.release) void leases.release(resource)
      // Given up before, when only the news of that was lost: no other member would ever claim it.
      for (const resource of resources)
        if (isLeftOver(resource) && !share.claim.includes(resource)) await leases.giveUp(resource)
      await claimAll(share.claim)
    },

    holds: resource => isValid() && leases.isConfirmed(resource),
    verify: leases.verify,

    async leave() {
      isLeaving = true
      await leases.releaseAll()
      await store.removeMember(id).catch(() => undefined)
    },

    isDeaf: () => !members.isReplaced && renewal.isDeaf(),
    live: members.live,
    unowned() {
      const living = members.live()
      return resources.filter(resource => !living.has(leases.ownerOf(resource)))
    },
    get replaced() {
      return members.isReplaced
    },
  }
}

/** Asks once for each member, and gives the same answer from then on. */
function once(ask: (member: string) => Promise<boolean>): (member: string) => Promise<boolean> {
  const answers = new Map<string, Promise<boolean>>()
  return member => {
    const answer = answers.get(member) ?? ask(member)
    answers.set(member, answer)
    return answer
  }
}
