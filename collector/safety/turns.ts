/** Makes the function that runs work, so many at a time, the others in the order in which they came. */
export function createTurns(atOnce: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let running = 0

  return async work => {
    if (running >= atOnce) await new Promise<void>(resolve => waiting.push(resolve))
    else running++
    try {
      return await work()
    } finally {
      // A request that waits takes over this one's place.
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
