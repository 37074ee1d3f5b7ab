const WARM_UP = 200

/** Runs so many rounds after a warm-up. Returns the time of each, in microseconds. */
export function times(rounds: number, run: (n: number) => number): number[] {
  const list: number[] = []
  let sum = 0
  for (let n = 0; n < WARM_UP + rounds; n++) {
    const started = performance.now()
    sum += run(n)
    if (n >= WARM_UP) list.push((performance.now() - started) * 1_000)
  }
  if (sum === 0) throw new Error('nothing was chosen')
  return list
}
