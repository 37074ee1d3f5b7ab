/** After this long, an interest counts half. A week: what a visitor wanted last month says little about today. */
export const HALF_LIFE_MS = 7 * 24 * 3600 * 1000

/** Most categories a profile keeps; the strongest stay. */
export const MAX_CATEGORIES = 50

/** An interest below this is forgotten: a single product view after about 46 days. */
const FORGOTTEN = 0.01

/** Interests as they were at a time, in milliseconds since the epoch. */
export interface Affinities {
  values: Record<string, number>
  at: number
}

/**
 * Returns the interests as they are at `now`: decayed, and without those that are forgotten. A `now` before `at`
 * changes nothing.
 *
 * @param halfLifeMs default: `HALF_LIFE_MS`
 */
export function decayedTo(now: number, affinities: Affinities, halfLifeMs = HALF_LIFE_MS): Record<string, number> {
  return Object.fromEntries(decayedEntries(now, affinities, halfLifeMs))
}

/**
 * Adds what a message of time `when` says. A late one counts as much as if it had come in time: it has decayed since
 * then, so that the order in which messages arrive matters only to what is on the verge of being forgotten.
 *
 * @param halfLifeMs default: `HALF_LIFE_MS`
 */
export function addInterests(
  affinities: Affinities,
  interests: Iterable<[string, number]>,
  when: number,
  halfLifeMs = HALF_LIFE_MS,
): Affinities {
  const at = Math.max(affinities.at, when)
  const sums = decayedEntries(at, affinities, halfLifeMs)
  for (const [category, weight] of interests) {
    const added = weight * decay(at - when, halfLifeMs)
    const categorySum = sums.find(([name]) => name === category)
    if (categorySum) categorySum[1] += added
    else sums.push([category, added])
  }
  const strongest = sums
    .filter(([, value]) => value >= FORGOTTEN)
    .sort(([, a], [, b]) => b - a)
    .slice(0, MAX_CATEGORIES)
  return { values: Object.fromEntries(strongest), at }
}

function decayedEntries(
  now: number,
  { values, at }: Affinities,
  halfLifeMs: number,
): [category: string, value: number][] {
  const factor = decay(now - at, halfLifeMs)
  const entries = Object.entries(values)
  for (const entry of entries) entry[1] *= factor
  return entries.filter(([, value]) => value >= FORGOTTEN)
}

function decay(ms: number, halfLifeMs: number): number {
  return 2 ** (-Math.max(0, ms) / halfLifeMs)
}
