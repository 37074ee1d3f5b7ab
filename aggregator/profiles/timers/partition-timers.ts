import { hasEnded } from '@slotstream/core'
import { type Profile, parseTime, visitorText } from '@slotstream/protocol'
import type { Visitor } from '../store/profile-bucket.js'
import type { StoredTimer, TimerStore } from '../store/timer-store.js'
import { createTimeQueue } from './time-queue.js'
import { createTimerNotes } from './timer-notes.js'

/** The visitors of a partition who have something due without a message. */
export interface PartitionTimers {
  /** Takes note of what is due by a profile that was applied. */
  note(profile: Profile): void
  /** Takes note of a stored note of which profile there may be one. */
  inherit(stored: StoredTimer): void
  /** Stores a note of what is due by a profile that is about to be stored: it must never be without one. */
  beforeWrite(profile: Profile): Promise<void>
  /** Removes the note of a profile that was stored and has nothing due. */
  afterWrite(profile: Profile): Promise<void>
  /** Removes the note of a visitor who is deleted. */
  forget(visitor: Visitor): Promise<void>
  /** Tells the stream of up to `most` visitors whose time has come. Resolves to how many were told. */
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
  /** See `hasEnded`. */
  anonymousDays: number
}

/** A visitor and the time for which it was queued, or a key that was stored by a former owner. */
type Waiting = { visitor: Visitor; at: number } | { key: string }

/**
 * How long nothing of a visitor may arrive before an absence ends that was over when the last message arrived, in
 * milliseconds. Of old messages that are imported, what ends it is still on its way.
 */
const OVERDUE_MS = 5_000

/** Creates the timers of a partition, with none. */
export function createPartitionTimers(deps: PartitionTimersDeps): PartitionTimers {
  const { store, keyOf, read, visitorOf, tell, anonymousDays } = deps
  const queue = createTimeQueue<Waiting>()
  /** When each visitor is due, and the earliest time for which the queue has them. */
  const due = new Map<string, { due: number; queuedAt: number }>()
  const notes = createTimerNotes(store)

  function note({ siteId, visitorId, patterns }: Profile): void {
    const id = visitorText(siteId, visitorId)
    const at = patterns?.due
    const known = due.get(id)
    if (at === undefined) due.delete(id)
    else if (known && known.queuedAt <= at) known.due = at
    else enqueue({ siteId, visitorId }, at)
  }

  function enqueue(visitor: Visitor, at: number): void {
    queue.add(at, { visitor, at })
    due.set(visitorText(visitor.siteId, visitor.visitorId), { due: at, queuedAt: at })
  }

  /** Looks at whom a former owner left: from then on the visitor is known. */
  async function adopt(key: string): Promise<void> {
    const visitor = await visitorOf(key)
    const profile = visitor && (await read(visitor))
    if (profile?.patterns?.due === undefined) await notes.remove(key)
    else note(profile)
  }

  /** Tells of a visitor whose time has come. Resolves to whether it has. */
  async function fireOne(visitor: Visitor, queuedAt: number, now: number): Promise<boolean> {
    const id = visitorText(visitor.siteId, visitor.visitorId)
    const known = due.get(id)
    // It was queued again since, for another time.
    if (known?.queuedAt !== queuedAt) return false
    due.delete(id)
    if (known.due > now) {
      enqueue(visitor, known.due)
      return false
    }
    const profile = await read(visitor)
    const at = profile?.patterns?.due
    if (!profile || at === undefined || hasEnded(profile, now, anonymousDays)) {
      await notes.remove(keyOf(visitor))
      return false
    }
    const isDue = firesAt(profile, at) <= now
    if (isDue) await tell(profile, at, now)
    else enqueue(visitor, firesAt(profile, at))
    return isDue
  }

  return {
    note,
    inherit(stored) {
      notes.inherit(stored)
      queue.add(stored.due, { key: stored.key })
    },
    async beforeWrite(profile) {
      if (profile.patterns?.due !== undefined) await notes.ensure(keyOf(profile), profile.patterns.due)
    },
    async afterWrite(profile) {
      if (profile.patterns?.due === undefined && notes.size > 0) await notes.remove(keyOf(profile))
    },
    async forget(visitor) {
      due.delete(visitorText(visitor.siteId, visitor.visitorId))
      await notes.remove(keyOf(visitor))
    },
    async fire(now, most) {
      let told = 0
      while (told < most) {
        const waiting = queue.take(now)
        if (!waiting) break
        try {
          if ('key' in waiting) await adopt(waiting.key)
          else if (await fireOne(waiting.visitor, waiting.at, now)) told++
        } catch (error) {
          // For the next look.
          if ('key' in waiting) queue.add(now, waiting)
          else enqueue(waiting.visitor, now)
          throw error
        }
      }
      return told
    },
    get size() {
      return due.size
    },
  }
}

/** When what is due at `at` is told, in milliseconds since the epoch. */
function firesAt({ lastReceived = '' }: Profile, at: number): number {
  const receivedAt = parseTime(lastReceived) ?? Number.NEGATIVE_INFINITY
  return receivedAt < at ? at : receivedAt + OVERDUE_MS
}
