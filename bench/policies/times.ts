/** Rounds before the clock counts: the engine has compiled what they run by then. */
const WARM_UP = 1_000

/**
 * Runs so many rounds after a warm-up. Returns the time of each, in microseconds.
 *
 * @param prepare makes what a round is given, outside of its time. Default: nothing
 */
export function times<Given>(
  rounds: number,
  run: (n: number, input: Given) => number,
  prepare = (_n: number) => undefined as Given,
): number[] {
  const list: number[] = []
  let sum = 0
  for (let n = 0; n < WARM_UP + rounds; n++) {
    const input = prepare(n)
    const started = performance.now()
    sum += run(n, input)
    if (n >= WARM_UP) list.push((performance.now() - started) * 1_000)
  }
  if (sum === 0) throw new Error('nothing was chosen')
  return list
}
