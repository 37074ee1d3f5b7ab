import type { LeaseStore } from './lease-store.js'

/**
 * A member whose entry did not change for this long by the observer's clock, in milliseconds, may lose its leases to
 * others. That is more than STOP_AFTER_MS by more than what the clocks of two machines may differ in over such a time.
 */
export const TAKE_AFTER_MS = 3_000

/** The entry of a member that is gone is removed after this long, in milliseconds. */
const FORGET_AFTER_MS = 60_000

/** The member that observes, and how it asks. */
export interface KnownMembersDeps {
  /** This member's own id and name: see `OwnershipDeps`. */
  id: string
  name: string
  store: Pick<LeaseStore, 'memberRevision'>
  /** Milliseconds that only ever grow. */
  now: () => number
  /** Called once, when a later start of the same name is there. */
  onReplaced: () => void
}

/** The other members, as far as one knows them: by the changes of their entries, and its own clock. */
export interface KnownMembers {
  /**
   * Takes note of an entry that was written or, where `name` is undefined, removed. What is not newer than what is
   * known is ignored.
   */
  note(id: string, name: string | undefined, revision: number): void
  /**
   * Returns the ids of all whose entries keep changing, and this member's own; never that of an earlier start of it.
   */
  live(): Set<string>
  /**
   * Returns the ids whose entries may be removed: earlier starts of this member, and those that were quiet for long.
   */
  removable(): string[]
  /**
   * Looks up whether a member's leases may be taken: its entry has not changed for TAKE_AFTER_MS, and has not since, in
   * news that are still under way. Rejects when that can't be known.
   */
  isGone(id: string): Promise<boolean>
  /** Counts the time of all from now on: a member that was cut off can't tell which of the others were quiet. */
  restartClocks(): void
  /** True if a later start of the same name has taken this member's place. */
  readonly isReplaced: boolean
}

/** Creates what one member knows of the others: nothing yet. */
export function createKnownMembers({ id, name, store, now, onReplaced }: KnownMembersDeps): KnownMembers {
  const members = new Map<string, { name: string; revision: number; seenAt: number }>()
  let isReplaced = false

  return {
    note(other, otherName, revision) {
      if (other === id || revision <= (members.get(other)?.revision ?? 0)) return
      if (otherName === undefined) return void members.delete(other)
      members.set(other, { name: otherName, revision, seenAt: now() })
      if (isReplaced || otherName !== name || other <= id) return
      isReplaced = true
      onReplaced()
    },

    live() {
      const ids = new Set([id])
      for (const [other, member] of members)
        if (now() - member.seenAt < TAKE_AFTER_MS && member.name !== name) ids.add(other)
      return ids
    },

    removable: () =>
      [...members]
        .filter(([, member]) => member.name === name || now() - member.seenAt > FORGET_AFTER_MS)
        .map(([other]) => other),

    async isGone(other) {
      const member = members.get(other)
      if (!member || member.name === name) return true
      const revision = await store.memberRevision(other)
      // An entry is removed when its member has left, or was quiet for long.
      if (revision === member.revision || revision === 0) return true
      // A store that has gone back is at an older revision: whether it changes from now on is what matters.
      const seenAt = revision > member.revision ? now() : member.seenAt
      members.set(other, { ...member, revision, seenAt })
      return false
    },

    restartClocks() {
      for (const member of members.values()) member.seenAt = now()
    },

    get isReplaced() {
      return isReplaced
    },
  }
}
