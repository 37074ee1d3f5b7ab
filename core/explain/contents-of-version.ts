import type { DecisionRecord, ExperimentArm } from '@slotstream/protocol'
import { recordedVersion } from '../catalog/slot-of-arm.js'
import type { SomeCatalog } from '../catalog/slot-of-catalog.js'

/** Time until decisions are made by a new version of a catalog, plus differences of clocks, in milliseconds. */
export const CATALOG_TAKES_EFFECT_MS = 10_000

/**
 * Returns the ids of a slot's contents in the order of a decision's record, if the record was made by this catalog: its
 * `policyVersion` tells. Undefined: it was made by another one.
 *
 * @param ways arms of experiments that the slot may have chosen as; undefined: as the slot itself says
 */
export function contentsOfVersion(
  { slots, content }: SomeCatalog,
  { slotId, policyVersion }: Pick<DecisionRecord, 'slotId' | 'policyVersion'>,
  ways: readonly (ExperimentArm | undefined)[],
): string[] | undefined {
  const slot = slots.find(({ id }) => id === slotId)
  if (!slot) return undefined
  const contents = new Map(content.map(each => [each.id, each]))
  for (const way of ways) {
    const version = recordedVersion(slot, contents, way)
    if (version.policyVersion === policyVersion) return version.contentIds
  }
  return undefined
}
