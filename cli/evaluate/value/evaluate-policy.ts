import {
  type ContentFactsById,
  type DecisionLog,
  type Diagnostics,
  type Estimates,
  evaluateLots,
  policyTarget,
  type Refusal,
  type Target,
  uniformTarget,
} from '@slotstream/core'
import type { PolicySpec } from '@slotstream/protocol'

/** Policy as it is named: each item alike, that of a slot without a policy, or one of a file. */
export type NamedPolicy = PolicySpec | 'uniform' | 'default'

/** Report that the command prints. */
export interface PolicyReport {
  estimates: Estimates | null
  ess: number
  overlap: number
  maxWeight: number
  refused: Refusal | null
}

/** Report with what its table says beside. */
export interface PolicyValue {
  report: PolicyReport
  /** Undefined: the policy's chances are not known. */
  diagnostics?: Diagnostics
  /** Rows of the log, and rows that the policy is valued by. */
  rows: number
  valued: number
  /** Mean reward of the rows it is valued by. */
  logged: number
}

/** Values a policy by a log. */
export function evaluatePolicy(
  log: DecisionLog,
  policy: NamedPolicy,
  contents: ContentFactsById,
  clip: number | undefined,
): PolicyValue {
  const translated = named(log, policy, contents)
  const targeted =
    translated.policy === 'uniform'
      ? { ok: true as const, target: uniformTarget(log) }
      : policyTarget(
          translated.policy === 'default' ? undefined : translated.policy,
          translated.log,
          translated.contents,
        )
  const target: Target = targeted.ok ? targeted.target : { lots: [], range: { from: 0, to: log.rows } }
  const { from, to } = target.range
  const valued = to - from
  const logged = log.reward.subarray(from, to).reduce((sum, reward) => sum + reward, 0) / Math.max(1, valued)
  const counts = { rows: log.rows, valued, logged }
  if (!targeted.ok)
    return { report: { estimates: null, ess: 0, overlap: 0, maxWeight: 0, refused: targeted.refused }, ...counts }
  const { estimates, diagnostics, refused } = evaluateLots(translated.log, target.range, target.lots, { clip })
  const { ess, overlap, maxWeight } = diagnostics
  return { report: { estimates, ess, overlap, maxWeight, refused }, diagnostics, ...counts }
}

/**
 * Names content as the log does: what is replayed from an Open Bandit log as `item-3` is `3` in it. What a policy lists
 * and the log never showed is added to it.
 */
function named(log: DecisionLog, policy: NamedPolicy, contents: ContentFactsById) {
  const logged = new Set(log.ids)
  const nameOf = (id: string) => {
    const item = /^item-(\d+)$/.exec(id)?.[1]
    return item !== undefined && !logged.has(id) && logged.has(item) ? item : id
  }
  const named = new Map(
    [...contents.values()].map(content => [nameOf(content.id), { ...content, id: nameOf(content.id) }]),
  )
  if (typeof policy === 'string' || policy.type !== 'fixed') return { log, policy, contents: named }
  const contentIds = policy.contentIds.map(nameOf)
  const ids = [...new Set([...log.ids, ...contentIds])]
  return { log: { ...log, ids }, policy: { ...policy, contentIds }, contents: named }
}
