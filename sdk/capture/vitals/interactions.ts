/** Interactions that are remembered: the longest. */
const REMEMBERED = 10

/** One interaction in so many may be longer than a page's value. */
const OUTLIER_EVERY = 50

/** Durations of a page's longest interactions by their id, in milliseconds, the longest first. */
export type Interactions = ReadonlyMap<number, number>

/** Adds one event of an interaction, which lasts as long as the longest of its events. */
export function withInteraction(longest: Interactions, id: number, duration: number): Interactions {
  const all = new Map(longest).set(id, Math.max(duration, longest.get(id) ?? 0))
  return new Map([...all].sort(([, a], [, b]) => b - a).slice(0, REMEMBERED))
}

/**
 * Returns the value of Interaction to Next Paint (https://web.dev/articles/inp): the longest interaction, or on pages
 * with many about the 98th percentile. Undefined without one.
 *
 * @param count number of all interactions
 */
export const inpOf = (longest: Interactions, count: number): number | undefined =>
  [...longest.values()][Math.min(longest.size - 1, Math.floor(count / OUTLIER_EVERY))]
