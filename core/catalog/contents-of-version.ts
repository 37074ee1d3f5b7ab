import type { DecisionRecord, ExperimentArm } from '@slotstream/protocol'
import { recordedVersion } from './slot-of-arm.js'
import type { SomeCatalog } from './slot-of-catalog.js'

/**
 * Returns the ids of the contents of a slot in the order of a decision's record, if this is the catalog that it was
 * made by: the version in the record tells. Undefined: it is another one.
 *
 * @param ways in which the slot may have chosen: as an arm of an experiment does, or as it is
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
