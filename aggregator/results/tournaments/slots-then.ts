import type { ClickHouseClient } from '@clickhouse/client'
import { type CompiledSlot, type SomeCatalog, slotOfCatalog } from '@slotstream/core'
import { checkContent, checkSlot, type DecisionRecord, type Experiment, type ExperimentArm } from '@slotstream/protocol'

/** Time that it takes until decisions are made by a version, and differences of clocks, in milliseconds. */
const TAKES_EFFECT_MS = 10_000

/** Versions of a slot that are kept compiled. */
const MOST_KEPT = 8

const AT = `SELECT kind, definition FROM slotstream.catalog_versions
WHERE site_id = {site: String} AND (kind = 'content' OR (kind = 'slot' AND id = {slot: String}))
  AND valid_from <= fromUnixTimestamp64Milli({at: Int64}) AND (isNull(valid_to) OR valid_to > fromUnixTimestamp64Milli({at: Int64}))`

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

/** Creates it: versions are read from the tables, since the catalog keeps some of its history only. */
export function createSlotsThen(clickhouse: ClickHouseClient, siteId: string, slotId: string): SlotsThen {
  const known = new Map<string, CompiledSlot | undefined>()

  async function catalogAt(at: number): Promise<SomeCatalog> {
    const params = { site: siteId, slot: slotId, at }
    const result = await clickhouse.query({ query: AT, query_params: params, format: 'JSONEachRow' })
    const rows = await result.json<{ kind: string; definition: string }>()
    const entries = (kind: string) => rows.filter(row => row.kind === kind).map(row => JSON.parse(row.definition))
    return {
      slots: entries('slot').flatMap(raw => itemsOf(checkSlot(raw))),
      content: entries('content').flatMap(raw => itemsOf(checkContent(raw))),
    }
  }

  return {
    async find({ timestamp, policyVersion }, ended) {
      if (known.has(policyVersion)) return known.get(policyVersion)
      const ways: (ExperimentArm | undefined)[] = [undefined, ...ended.flatMap(({ arms }) => arms)]
      const at = Date.parse(timestamp)
      let found: CompiledSlot | undefined
      for (const time of [at, at - TAKES_EFFECT_MS, at + TAKES_EFFECT_MS]) {
        const catalog = await catalogAt(time)
        found = ways.map(way => slotOfCatalog(catalog, slotId, way)).find(slot => slot?.policyVersion === policyVersion)
        if (found) break
      }
      for (const version of [...known.keys()].slice(0, Math.max(0, known.size - MOST_KEPT + 1))) known.delete(version)
      known.set(policyVersion, found)
      return found
    },
  }
}

function itemsOf<T>(checked: { ok: true; value: T } | { ok: false }): T[] {
  return checked.ok ? [checked.value] : []
}
