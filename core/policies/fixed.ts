import { type Propose, placesTo } from './proposal.js'

/** Shows the content that the administrator listed, in that order. Content that is not listed is no candidate. */
export const proposeByList: Propose<{ type: 'fixed'; contentIds: string[] }> = ({ contentIds }, { eligible }) => {
  const numbers = new Map(eligible.map(({ id }, index) => [id, index]))
  const candidates = [...new Set(contentIds)].flatMap(id => numbers.get(id) ?? [])
  const ranks = placesTo(candidates.length)
  return {
    candidates,
    scores: ranks.map(rank => candidates.length - rank),
    lottery: { rule: 'ranked', exploration: 0, ranks },
  }
}
