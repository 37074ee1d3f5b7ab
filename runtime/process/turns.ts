/**
 * Returns a function that runs work, so many pieces at a time, the others in the order in which they came.
 *
 * @param atOnce pieces of work that run at a time
 * @param maxWaiting those that may wait; default: any number
 * @param tooMany makes the error that one more is rejected with
 */
export function createTurns(
  atOnce: number,
  maxWaiting = Number.POSITIVE_INFINITY,
  tooMany: () => Error = () => new Error(`${maxWaiting} pieces of work wait already`),
): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let running = 0

  return async work => {
    if (running < atOnce) running++
    else if (waiting.length >= maxWaiting) throw tooMany()
    else await new Promise<void>(resolve => waiting.push(resolve))
    try {
      return await work()
    } finally {
      // Work that waits takes over this one's place.
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
