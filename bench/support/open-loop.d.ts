export interface Schedule {
  perSecond: number
  seconds: number
}
/** The clock of the machine, in milliseconds, with fractions. */
export interface Clock {
  now(): number
  sleep(ms: number): Promise<void>
}
export declare const machineClock: Clock
/**
 * Fires at a fixed rate, whether or not earlier calls have been answered, as visitors do. `fire` gets the time at which
 * it was meant to happen: latencies measured from there count the waiting that a slow server, or this very process,
 * has caused, which a loop that waits for answers would leave out (coordinated omission). Resolves when all calls have.
 */
export declare function openLoop(
  { perSecond, seconds }: Schedule,
  fire: (n: number, intendedAt: number) => Promise<void>,
  clock?: Clock,
): Promise<void>
