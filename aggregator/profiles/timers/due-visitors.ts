import { visitorText } from '@slotstream/protocol'
import type { Visitor } from '../store/profile-bucket.js'
import { createTimeQueue } from './time-queue.js'

/** A visitor and the time for which it was queued, or a key that was stored by a former owner. */
export type Waiting = { visitor: Visitor; at: number } | { key: string }

/** The visitors of a partition who have something due, by time. Times are milliseconds since the epoch. */
export interface DueVisitors {
  /** Sets when a visitor is due; undefined: not any more. */
  set(visitor: Visitor, at: number | undefined): void
  /** Adds a key that was stored by a former owner. */
  addKey(key: string, at: number): void
  /** Takes out one that is to be looked at by then; undefined: there is none. */
  take(now: number): Waiting | undefined
  /** Says whether a visitor that was taken out is due. One that is due later waits again. */
  claim(waiting: { visitor: Visitor; at: number }, now: number): boolean
  /** Returns when a visitor is due; undefined: not at all. */
  dueOf(visitor: Visitor): number | undefined
  readonly size: number
}

/** Creates the empty list. */
export function createDueVisitors(): DueVisitors {
  const queue = createTimeQueue<Waiting>()
  /** Time when each visitor is due, and the earliest time for which the queue has them. */
  const due = new Map<string, { due: number; queuedAt: number }>()
  const idOf = ({ siteId, visitorId }: Visitor) => visitorText(siteId, visitorId)

  function set({ siteId, visitorId }: Visitor, at: number | undefined): void {
    const id = visitorText(siteId, visitorId)
    const entry = due.get(id)
    if (at === undefined) due.delete(id)
    else if (entry && entry.queuedAt <= at) entry.due = at
    else {
      queue.add(at, { visitor: { siteId, visitorId }, at })
      due.set(id, { due: at, queuedAt: at })
    }
  }

  return {
    set,
    addKey: (key, at) => queue.add(at, { key }),
    take: now => queue.take(now),
    claim({ visitor, at }, now) {
      const id = idOf(visitor)
      const entry = due.get(id)
      // It was queued again since, for another time.
      if (entry?.queuedAt !== at) return false
      due.delete(id)
      if (entry.due > now) set(visitor, entry.due)
      return entry.due <= now
    },
    dueOf: visitor => due.get(idOf(visitor))?.due,
    get size() {
      return due.size
    },
  }
}
