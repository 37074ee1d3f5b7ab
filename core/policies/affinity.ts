import type { Score } from './scored-policy.js'

/**
 * Scores content by the share of its category in the visitor's interests. For a new visitor every score is 0, so the
 * draw is uniform. Content of one category ties, so a slot with several items shows the favourite category first.
 */
export const scoreByAffinity: Score<'affinity'> = ({ exploration }, eligible, { affinities }) => {
  const shares = new Map(Object.entries(affinities))
  const total = [...shares.values()].reduce((sum, value) => sum + value, 0)
  const shareOf = (category: string) => (total > 0 ? (shares.get(category) ?? 0) / total : 0)
  return { candidates: eligible.map(({ id, category }) => ({ contentId: id, score: shareOf(category) })), exploration }
}
