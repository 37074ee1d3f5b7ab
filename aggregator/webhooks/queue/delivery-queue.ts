import { byPlace, type Pending } from './pending.js'

/**
 * The signals of a partition that one webhook is to get. Of each lane the first one is delivered before the next
 * begins.
 */
export interface DeliveryQueue {
  /** Adds a signal at its place among those of its lane. False: it is there already. */
  add(pending: Pending): boolean
  /** Takes the signal that is due for longest, of a lane that has none under way; undefined: there is none. */
  take(now: number): Pending | undefined
  /** Removes a signal: it was delivered, or given up. */
  remove(pending: Pending): void
  /** Puts a signal that was taken back, as it is now, first in its lane. */
  putBack(pending: Pending, change: Partial<Pending>): void
  /** Lets a signal that waits be taken at once. False: it does not wait. */
  hasten(signalId: string, now: number): boolean
  has(signalId: string): boolean
  /** Lists all of them, also those under way, by their places. */
  all(): Pending[]
  readonly size: number
  /** Time when the earliest of them could first be delivered; undefined: there is none. */
  readonly oldest: number | undefined
}

/** Creates an empty queue. Pure data: what is taken is under way until it is removed or put back. */
export function createDeliveryQueue(): DeliveryQueue {
  const lanes = new Map<string, Pending[]>()
  const byId = new Map<string, Pending>()
  const underWay = new Set<string>()

  function remove(pending: Pending): void {
    const { lane, signalId } = pending
    underWay.delete(lane)
    byId.delete(signalId)
    const left = lanes.get(lane)?.filter(other => other.signalId !== signalId) ?? []
    if (left.length > 0) lanes.set(lane, left)
    else lanes.delete(lane)
  }

  return {
    add(pending) {
      if (byId.has(pending.signalId)) return false
      const { lane } = pending
      const before = lanes.get(lane) ?? []
      // What is under way stays first: it was taken before.
      const head = underWay.has(lane) ? before.slice(0, 1) : []
      lanes.set(lane, [...head, ...[...before.slice(head.length), pending].sort(byPlace)])
      byId.set(pending.signalId, pending)
      return true
    },
    take(now) {
      let next: Pending | undefined
      for (const [lane, [first]] of lanes) {
        if (!first || first.due > now || underWay.has(lane)) continue
        if (!next || first.due < next.due || (first.due === next.due && byPlace(first, next) < 0)) next = first
      }
      if (next) underWay.add(next.lane)
      return next
    },
    remove,
    putBack(pending, change) {
      Object.assign(pending, change)
      underWay.delete(pending.lane)
    },
    hasten(signalId, now) {
      const pending = byId.get(signalId)
      if (!pending) return false
      pending.due = Math.min(pending.due, now)
      return true
    },
    has: signalId => byId.has(signalId),
    all: () => [...byId.values()].sort(byPlace),
    get size() {
      return byId.size
    },
    get oldest() {
      let oldest: number | undefined
      for (const { since } of byId.values()) if (oldest === undefined || since < oldest) oldest = since
      return oldest
    },
  }
}
