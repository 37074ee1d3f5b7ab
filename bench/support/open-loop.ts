export interface Schedule {
  perSecond: number
  seconds: number
}

/** The clock of the machine, in milliseconds, with fractions. */
export interface Clock {
  now(): number
  sleep(ms: number): Promise<void>
}

export const machineClock: Clock = {
  now: () => performance.now(),
  sleep: ms => new Promise(resolve => setTimeout(resolve, ms)),
}

/**
 * Fires at a fixed rate, whether or not earlier calls have been answered, as visitors do. `fire` gets the time at which
 * it was meant to happen: latencies measured from there count the waiting that a slow server, or this very process,
 * has caused, which a loop that waits for answers would leave out (coordinated omission). Resolves when all calls have.
 */
export async function openLoop(
  { perSecond, seconds }: Schedule,
  fire: (n: number, intendedAt: number) => Promise<void>,
  clock: Clock = machineClock,
): Promise<void> {
  const start = clock.now()
  const total = Math.round(perSecond * seconds)
  const running: Promise<void>[] = []
  for (let n = 0; n < total; ) {
    for (; n < total && start + (n * 1_000) / perSecond <= clock.now(); n++)
      running.push(fire(n, start + (n * 1_000) / perSecond))
    if (n < total) await clock.sleep(Math.max(1, start + (n * 1_000) / perSecond - clock.now()))
  }
  await Promise.all(running)
}
