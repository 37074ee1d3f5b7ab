import type { Score } from './scored-policy.js'

/** Scores the content that the administrator listed, the first best. Content that isn't listed is no candidate. */
export const scoreByList: Score<'fixed'> = ({ contentIds }, eligible) => {
  const eligibleIds = new Set(eligible.map(({ id }) => id))
  const listed = [...new Set(contentIds)].filter(id => eligibleIds.has(id))
  return {
    candidates: listed.map((contentId, index) => ({ contentId, score: listed.length - index })),
    exploration: 0,
  }
}
