import type { PolicySpec } from '@slotstream/protocol'
import type { DecisionLog, Lot, RowRange } from '../decision-log.js'
import type { Refusal } from '../refusal.js'
import type { ContentFactsById } from './content-facts.js'
import { fitContents } from './fit-contents.js'
import { lotsOf } from './lots.js'
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
 * Returns what a slot's policy would do, with the chances by which the product draws. A policy that learns learns from the first
 * half of the log's decisions and is valued by the second.
 *
 * @returns a refusal where its chances depend on what the log does not hold
 */
export function policyTarget(
  policy: PolicySpec,
  log: DecisionLog,
  contents: ContentFactsById,
): { ok: true; target: Target } | { ok: false; refused: Refusal } {
  const refused = missingFor(policy, log, contents)
  if (refused) return { ok: false, refused }
  if (!learns(policy))
    return { ok: true, target: { lots: lotsOf(policy, log, contents), range: { from: 0, to: log.rows } } }
  const middle = halfOf(log)
  const model = fitContents(log, { from: 0, to: middle })
  return { ok: true, target: { lots: lotsOf(policy, log, contents, model), range: { from: middle, to: log.rows } } }
}

function learns(policy: PolicySpec): boolean {
  return ['popular', 'trending', 'thompson'].includes(policy.type) || ('popularity' in policy && policy.popularity)
}

/** The first row of the decision in the middle. */
function halfOf({ rows, decision }: DecisionLog): number {
  let middle = Math.floor(rows / 2)
  while (middle > 0 && middle < rows && decision[middle] === decision[middle - 1]) middle++
  return middle
}
