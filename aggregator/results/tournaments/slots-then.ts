import type { ClickHouseClient } from '@clickhouse/client'
import { type CompiledSlot, slotOfCatalog } from '@slotstream/core'
import type { DecisionRecord, Experiment, ExperimentArm } from '@slotstream/protocol'
import { catalogsAround } from '../../clickhouse/catalogs-around.js'

/** Versions of a slot that are kept compiled. */
const MOST_KEPT = 8

/** Finds a slot as a decision was made by it. */
export interface SlotsThen {
  /**
   * Resolves to undefined where no version of the catalog has it.
   *
   * @param ended experiments as whose arms the slot may have chosen for all
   */
  find(
    record: Pick<DecisionRecord, 'timestamp' | 'policyVersion'>,
    ended: readonly Pick<Experiment, 'arms'>[],
  ): Promise<CompiledSlot | undefined>
}

/** Creates it. */
export function createSlotsThen(clickhouse: ClickHouseClient, siteId: string, slotId: string): SlotsThen {
  const byVersion = new Map<string, CompiledSlot | undefined>()

  return {
    async find({ timestamp, policyVersion }, ended) {
      if (byVersion.has(policyVersion)) return byVersion.get(policyVersion)
      const ways: (ExperimentArm | undefined)[] = [undefined, ...ended.flatMap(({ arms }) => arms)]
      let slotThen: CompiledSlot | undefined
      for await (const catalog of catalogsAround(clickhouse, siteId, slotId, Date.parse(timestamp))) {
        slotThen = ways
          .map(way => slotOfCatalog(catalog, slotId, way))
          .find(slot => slot?.policyVersion === policyVersion)
        if (slotThen) break
      }
      for (const version of [...byVersion.keys()].slice(0, Math.max(0, byVersion.size - MOST_KEPT + 1)))
        byVersion.delete(version)
      byVersion.set(policyVersion, slotThen)
      return slotThen
    },
  }
}
