import type { Content, Policy } from '@slotstream/protocol'
import type { Scored } from '../decide/draw.js'

/** A policy as scores and a share of exploration: the form in which `draw` takes every policy. */
export interface ScoredPolicy {
  candidates: Scored[]
  exploration: number
}

/**
 * Scores the eligible content.
 *
 * - `affinity`: by the category's share of the visitor's interests. Whoever is new scores everything 0, so that the
 *   draw is uniform. Content of one category ties, so a slot with several items shows the favourite category first.
 * - `random`: all equal.
 * - `fixed`: the listed content, first best; what isn't listed is no candidate.
 */
export function score(policy: Policy, eligible: Content[], affinities: Record<string, number>): ScoredPolicy {
  if (policy.type === 'random')
    return { candidates: eligible.map(({ id }) => ({ contentId: id, score: 0 })), exploration: 0 }
  if (policy.type === 'fixed') {
    const known = new Set(eligible.map(({ id }) => id))
    const listed = [...new Set(policy.contentIds)].filter(id => known.has(id))
    return {
      candidates: listed.map((contentId, index) => ({ contentId, score: listed.length - index })),
      exploration: 0,
    }
  }
  const shares = new Map(Object.entries(affinities))
  const total = [...shares.values()].reduce((sum, value) => sum + value, 0)
  return {
    candidates: eligible.map(({ id, category }) => ({
      contentId: id,
      score: total > 0 ? (shares.get(category) ?? 0) / total : 0,
    })),
    exploration: policy.exploration,
  }
}
