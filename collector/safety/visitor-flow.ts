/** Slots that are looked at together: for so many milliseconds, longer where there are few. */
const WINDOW_MS = 250
const LEAST = 8
const LONGEST_MS = 2_000

/** The share of a site's limit at rest, and the one that it always has. */
const AT_REST = 0.1
const LEAST_SHARE = 0.05

/** How the share changes with a window: slots were slow; they were not, and new visitors wait; none waits. */
const SLOWER = 0.7
const FASTER = 1.05
const BACK = 0.98

/** Time in which the usual time of slots may double, in milliseconds: what is slow for long becomes usual. */
const DOUBLES_MS = 600_000

/** How much of the limits of new visitors is let through at a time, by how long others wait for their slots. */
export interface VisitorFlow {
  /** Notes how long a visitor waited for decisions, in milliseconds. */
  answered(ms: number): void
  /** Notes that new visitors have to wait for their place: more are let through while slots are as fast as usual. */
  wanted(): void
  /** Returns the share of every site's limit that flows now. */
  share(): number
}

/** Lets everything through that the limits allow. */
export const FREE_FLOW: VisitorFlow = { answered: () => {}, wanted: () => {}, share: () => 1 }

/**
 * Creates a flow that begins small and grows while it is used, until slots take longer than usual. The share is the
 * same for all sites: only those that bring more new visitors than that notice it.
 *
 * @param slowdown slots are slow when nine of ten take up to so many times as long as half of them usually do. 0: never
 * @param now milliseconds; must not go back. Default: the machine's time since it was started
 */
export function createVisitorFlow(slowdown: number, now: () => number = () => performance.now()): VisitorFlow {
  if (slowdown === 0) return FREE_FLOW
  let took: number[] = []
  let began = now()
  let usual = Number.POSITIVE_INFINITY
  let share = AT_REST
  let isWanted = false

  function look(): void {
    const passed = now() - began
    const isFew = took.length > 0 && took.length < LEAST
    if (passed < (isFew ? LONGEST_MS : WINDOW_MS)) return
    const sorted = took.sort((a, b) => a - b)
    const median = sorted[Math.floor(sorted.length / 2)] ?? Number.POSITIVE_INFINITY
    usual = Math.min(usual * 2 ** (passed / DOUBLES_MS), median)
    const most = sorted[Math.floor(sorted.length * 0.9)] ?? 0
    if (most > slowdown * usual) share = Math.max(LEAST_SHARE, share * SLOWER)
    else if (isWanted || share < AT_REST) share = Math.min(1, share * FASTER)
    else share = Math.max(AT_REST, share * BACK ** Math.floor(passed / WINDOW_MS))
    took = []
    began = now()
    isWanted = false
  }

  return {
    answered(ms) {
      took.push(ms)
      look()
    },
    wanted() {
      isWanted = true
    },
    share() {
      look()
      return share
    },
  }
}
