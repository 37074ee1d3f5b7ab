import { hasEnded } from '@slotstream/core'
import { type Profile, parseTime, visitorText } from '@slotstream/protocol'
import type { MemberChecks } from '../members/check-members.js'
import type { Visitor } from '../store/profile-bucket.js'
import type { StoredTimer, TimerStore } from '../store/timer-store.js'
import { createDueVisitors, type DueVisitors, type Waiting } from './due-visitors.js'
import { createTimerNotes } from './timer-notes.js'

/** The visitors of a partition who have something due without a message. */
export interface PartitionTimers {
  /** Takes note of what is due by a profile that was applied: absences of patterns, and looks at its segments. */
  note(profile: Profile): void
  /** Takes note of a stored note of which profile there may be one. */
  inherit(stored: StoredTimer): void
  /** Stores a note of what is due by a profile that is about to be stored: it must never be without one. */
  beforeWrite(profile: Profile): Promise<void>
  /** Removes the note of a profile that was stored and has nothing due. */
  afterWrite(profile: Profile): Promise<void>
  /** Removes the note of a visitor who is deleted. */
  forget(visitor: Visitor): Promise<void>
  /**
   * Publishes the timers of visitors that are due, and looks at the segments of others, `most` in all. Resolves to
   * how many were told.
   */
  fire(now: number, most: number): Promise<number>
  /** Visitors who wait. */
  readonly size: number
}

export interface PartitionTimersDeps {
  store: Pick<TimerStore, 'write' | 'remove'>
  keyOf(visitor: Visitor): string
  /** Returns the visitor's profile as it is now. */
  read(visitor: Visitor): Profile | undefined | Promise<Profile | undefined>
  /** Reads whose profile is stored under a key; undefined: there is none. */
  visitorOf(key: string): Promise<Visitor | undefined>
  /** Tells the stream that a visitor's time has come. */
  tell(profile: Profile, due: number, now: number): Promise<void>
  /** Looks at segments. Default: there are none */
  checks?: MemberChecks
  /** See `hasEnded`. */
  anonymousDays: number
  /** The clock, in milliseconds since the epoch. Default: the system's */
  now?: () => number
}

/**
 * Quiet time of a visitor after which an absence ends that was over when the last message arrived, in milliseconds:
 * where old messages are imported, the message that ends it may still be on its way.
 */
const OVERDUE_MS = 5_000

/** Creates the timers of a partition, with none. */
export function createPartitionTimers(deps: PartitionTimersDeps): PartitionTimers {
  const { store, keyOf, read, visitorOf, tell, checks = NO_CHECKS, anonymousDays, now: clock = Date.now } = deps
  const due = createDueVisitors()
  /** Visitors who are looked at now. */
  const looking = new Set<string>()
  const notes = createTimerNotes(store)
  const idOf = ({ siteId, visitorId }: Visitor) => visitorText(siteId, visitorId)

  function note(profile: Profile): void {
    due.set(profile, earliest(profile.patterns?.due, checks.dueOf(profile, clock())))
  }

  /** Looks at whom a former owner left: from then on the visitor is known. */
  async function adopt(key: string): Promise<void> {
    const visitor = await visitorOf(key)
    const profile = visitor && (await read(visitor))
    if (profile) note(profile)
    if (!profile || due.dueOf(profile) === undefined) await notes.remove(key)
  }

  /** Looks at a visitor that is due. Resolves to whether its timer was published. */
  async function look(visitor: Visitor, now: number): Promise<boolean> {
    const profile = await read(visitor)
    if (!profile || hasEnded(profile, now, anonymousDays)) {
      await notes.remove(keyOf(visitor))
      return false
    }
    const at = profile.patterns?.due
    const isDue = at !== undefined && firesAt(profile, at) <= now
    if (isDue) await tell(profile, at, now)
    const ofPattern = at === undefined || isDue ? undefined : firesAt(profile, at)
    const next = earliest(ofPattern, await checks.check(profile, now))
    // A message that was applied meanwhile has said it anew.
    if (due.dueOf(visitor) !== undefined) return isDue
    due.set(visitor, next)
    if (next !== undefined) await notes.ensure(keyOf(visitor), next)
    else if (!isDue) await notes.remove(keyOf(visitor))
    return isDue
  }

  /** Handles one that waits. Resolves to whether a timer was published. */
  async function takeUp(waiting: Waiting, now: number): Promise<boolean> {
    if ('key' in waiting) {
      await adopt(waiting.key)
      return false
    }
    if (!due.claim(waiting, now)) return false
    const id = idOf(waiting.visitor)
    looking.add(id)
    try {
      return await look(waiting.visitor, now)
    } finally {
      looking.delete(id)
    }
  }

  return {
    note,
    inherit(stored) {
      notes.inherit(stored)
      due.addKey(stored.key, stored.due)
    },
    async beforeWrite(profile) {
      const at = earliest(profile.patterns?.due, due.dueOf(profile))
      if (at !== undefined) await notes.ensure(keyOf(profile), at)
    },
    async afterWrite(profile) {
      if (profile.patterns?.due !== undefined || due.dueOf(profile) !== undefined) return
      if (notes.size > 0 && !looking.has(idOf(profile))) await notes.remove(keyOf(profile))
    },
    async forget(visitor) {
      due.set(visitor, undefined)
      await notes.remove(keyOf(visitor))
    },
    fire: (now, most) => fireAll(due, takeUp, now, most),
    get size() {
      return due.size
    },
  }
}

/** Handles all that are due, up to a number. Those that fail stay for the next look. */
async function fireAll(
  due: DueVisitors,
  takeUp: (waiting: Waiting, now: number) => Promise<boolean>,
  now: number,
  most: number,
): Promise<number> {
  let fired = 0
  for (let tried = 0; tried < most; tried++) {
    const waiting = due.take(now)
    if (!waiting) break
    try {
      if (await takeUp(waiting, now)) fired++
    } catch (error) {
      if ('key' in waiting) due.addKey(waiting.key, now)
      else due.set(waiting.visitor, now)
      throw error
    }
  }
  return fired
}

const NO_CHECKS: MemberChecks = { dueOf: () => undefined, check: async () => undefined }

/** Returns the earlier of two times; undefined is never. */
function earliest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a
}

/** Returns the time at which a timer that is due at `at` fires, in milliseconds since the epoch. */
function firesAt({ lastReceived = '' }: Profile, at: number): number {
  const receivedAt = parseTime(lastReceived) ?? Number.NEGATIVE_INFINITY
  return receivedAt < at ? at : receivedAt + OVERDUE_MS
}
