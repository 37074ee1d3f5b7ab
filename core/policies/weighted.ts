import type { Propose } from './proposal.js'

/** Draws each content in proportion to its weight. Content of weight 0 is shown only where nothing else is left. */
export const proposeByWeight: Propose<{ type: 'weighted' }> = (_policy, { eligible }) => {
  const shares = eligible.map(({ weight = 1 }) => Math.max(0, weight))
  return { candidates: [...eligible.keys()], scores: shares, lottery: { rule: 'shares', exploration: 0, shares } }
}
