import type { Content, Policy } from '@slotstream/protocol'
import { scoreByAffinity } from './affinity.js'
import { scoreByList } from './fixed.js'
import { scoreAlike } from './random.js'
import type { Score, ScoredPolicy, VisitorFeatures } from './scored-policy.js'

/** How each type of policy scores. A new type begins with a file beside this one and a line here. */
const SCORES: { [Type in Policy['type']]: Score<Type> } = {
  affinity: scoreByAffinity,
  random: scoreAlike,
  fixed: scoreByList,
}

/** Scores the eligible content by a policy. */
export function score(policy: Policy, eligible: Content[], features: VisitorFeatures): ScoredPolicy {
  const scoreByType = SCORES[policy.type] as Score<Policy['type']>
  return scoreByType(policy, eligible, features)
}
