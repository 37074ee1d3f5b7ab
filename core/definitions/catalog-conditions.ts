import { type Content, type Slot, shownFaults } from '@slotstream/protocol'
import { compileCandidates } from '../catalog/candidates.js'
import { compileMessageCondition } from '../conditions/compile-message-condition.js'
import { compileWhere } from '../segments/compile-where.js'
import type { Vocabulary } from '../segments/vocabulary.js'

/**
 * Most regular expressions in the conditions of a site's catalog: each keeps up to 8 MB of what it has seen of texts,
 * in every process that decides.
 */
export const MAX_CATALOG_EXPRESSIONS = 50

/**
 * Returns one line for each fault of a content's condition, naming the field by its path.
 *
 * @param vocabulary names that it may use. Default: any
 */
export function contentConditionFaults({ where }: Pick<Content, 'where'>, vocabulary?: Vocabulary): string[] {
  return where === undefined ? [] : whereFaults(where, 'where', vocabulary)
}

/**
 * Returns one line for each fault of the conditions of a slot, of its campaigns and rewards, naming the field by its
 * path.
 *
 * @param vocabulary names that those of campaigns may use. Default: any
 */
export function slotConditionFaults(slot: Pick<Slot, 'candidates' | 'campaigns' | 'rewards'>, vocabulary?: Vocabulary) {
  const { candidates, campaigns = [], rewards } = slot
  const compiled = candidates && compileCandidates(candidates)
  const faults = compiled?.ok === false ? [...compiled.faults] : []
  for (const [index, { where }] of campaigns.entries())
    if (where !== undefined) faults.push(...whereFaults(where, `campaigns[${index}].where`, vocabulary))
  for (const [index, { where }] of (rewards ?? []).entries()) {
    if (where === undefined) continue
    const compiled = compileMessageCondition(where, `rewards[${index}].where`)
    if (!compiled.ok) faults.push(...compiled.faults)
  }
  return shownFaults(faults)
}

function whereFaults(where: unknown, path: string, vocabulary?: Vocabulary): string[] {
  const compiled = compileWhere(where, vocabulary, { path, isOfContent: true })
  return compiled.ok ? [] : compiled.faults
}
