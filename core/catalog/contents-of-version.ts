import type { DecisionRecord, ExperimentArm } from '@slotstream/protocol'
import { recordedVersion } from './slot-of-arm.js'
import type { SomeCatalog } from './slot-of-catalog.js'

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
