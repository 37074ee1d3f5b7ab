/** Writes or reads at a time. */
const WAVE = 64

/** Does work for each item, some at a time, and resolves to the results in the order of the items. */
export async function inWaves<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let first = 0; first < items.length; first += WAVE)
    results.push(...(await Promise.all(items.slice(first, first + WAVE).map(work))))
  return results
}
