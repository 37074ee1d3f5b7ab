/**
 * Work that checking one message may take. A usual one takes some hundred units; one unit takes 10 to 300 nanoseconds,
 * so that the most expensive message takes some milliseconds.
 */
export const MAX_WORK = 50_000

/** Work of a message beyond which it takes from the pool of its request. */
const FREE_WORK = 1_000

/** Work that the messages of a request may take together beyond what is free for each. */
export interface WorkPool {
  left: number
  /** Work that is not paid for yet. */
  owed: number
}

/** Creates the pool of a request: five of the most expensive messages. */
export function createWorkPool(): WorkPool {
  return { left: 5 * MAX_WORK, owed: 0 }
}

/** Work is counted while `withinWork` runs, which is never interrupted: checks are synchronous. */
let left = Number.POSITIVE_INFINITY

/** Data that would take too much work to check against its schema. */
export class TooMuchWork extends RangeError {
  override name = 'TooMuchWork'
  readonly code = 'work'
}

/**
 * Runs checks that may take so much work together.
 *
 * @throws TooMuchWork where they would take more
 */
export function withinWork<T>(max: number, run: () => T): T {
  const before = left
  left = max
  try {
    return run()
  } finally {
    left = before
  }
}

/**
 * Checks a message, whose work beyond what is free comes from the pool of its request.
 *
 * @throws TooMuchWork where that is empty, or the message takes more than one may
 */
export function withinPool<T>(pool: WorkPool, run: () => T): T {
  const max = Math.min(MAX_WORK, FREE_WORK + pool.left)
  return withinWork(max, () => {
    try {
      return run()
    } finally {
      const extra = Math.max(0, max - Math.max(0, left) - FREE_WORK)
      pool.left -= extra
      pool.owed += extra
    }
  })
}

/** Takes units of work. Outside of `withinWork` there is no bound. */
export function spendWork(units: number): void {
  left -= units
  if (left < 0) throw new TooMuchWork('checking takes too much work')
}

/**
 * Says why a check was given up: a schema may refer to itself without end for some data, or so often that the time
 * multiplies with each level of the data.
 */
export const GIVEN_UP =
  'needs too many steps, or refers to itself without end: in alternatives that refer to themselves, put the property ' +
  'that tells them apart first'
