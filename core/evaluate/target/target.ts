import type { PolicySpec } from '@slotstream/protocol'
import { itemPoliciesOf, needsOf } from '../../catalog/policy-needs.js'
import type { DecisionLog, Lot, RowRange } from '../decision-log.js'
import type { Refusal } from '../refusal.js'
import type { ContentFactsById } from './content-facts.js'
import { fitContents } from './fit-contents.js'
import { fitItems } from './fit-items.js'
import { type LearnedByThen, lotsOf } from './lots.js'
import { missingFor } from './missing.js'

/** Choices of a policy in each situation of a log, and by which rows it can be valued. */
export interface Target {
  lots: Lot[]
  range: RowRange
}

/** Returns what `uniform` would do: each of the log's distinct actions alike. */
export function uniformTarget(log: DecisionLog): Target {
  const shown = new Uint8Array(log.ids.length)
  for (let row = 0; row < log.rows; row++) shown[log.action[row]!] = 1
  const actions = Uint32Array.from(log.ids.keys()).filter(action => shown[action] === 1)
  const lot: Lot = { actions, chances: new Float64Array(actions.length).fill(1 / actions.length) }
  return { lots: log.situations.map(() => lot), range: { from: 0, to: log.rows } }
}

/**
 * Returns what a slot's policy would do, with the chances by which the product draws. A policy that learns learns from
 * the first half of the log's decisions and is valued by the second.
 *
 * @param policy undefined: the default policy
 * @returns a refusal where its chances depend on what the log does not hold
 */
export function policyTarget(
  policy: PolicySpec | undefined,
  log: DecisionLog,
  contents: ContentFactsById,
): { ok: true; target: Target } | { ok: false; refused: Refusal } {
  const refused = missingFor(policy, log, contents)
  if (refused) return { ok: false, refused }
  const { sums, features, items } = needsOf(policy)
  if (!sums && !items)
    return { ok: true, target: { lots: lotsOf(policy, log, contents), range: { from: 0, to: log.rows } } }
  const middle = halfOf(log)
  const half = { from: 0, to: middle }
  const learned: LearnedByThen = {
    ...(sums && { model: fitContents(log, half, features ? contents : undefined) }),
    ...(items && { itemsOf: fitItems(log, half, itemPoliciesOf(policy)) }),
  }
  return { ok: true, target: { lots: lotsOf(policy, log, contents, learned), range: { from: middle, to: log.rows } } }
}

/** Returns the first row of the decision in the middle. */
function halfOf({ rows, decision }: DecisionLog): number {
  let middle = Math.floor(rows / 2)
  while (middle > 0 && middle < rows && decision[middle] === decision[middle - 1]) middle++
  return middle
}
