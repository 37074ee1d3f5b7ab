import type { Score } from './scored-policy.js'

/** Scores all content alike, so the draw is uniform. */
export const scoreAlike: Score<'random'> = (_policy, eligible) => ({
  candidates: eligible.map(({ id }) => ({ contentId: id, score: 0 })),
  exploration: 0,
})
