import { CATALOG_AT, catalogOfRows, catalogTimes, contentsOfVersion } from '@slotstream/core'
import { checkExperiments, type ExperimentArm, isObject, parseJson } from '@slotstream/protocol'
import { type ClickHouseAddress, linesOf } from '../../clickhouse-query.js'

/** Resolves to the contents of a version of a slot, in the order of records. Undefined: no catalog has it any more */
export type ContentsOfVersion = (version: string) => Promise<readonly string[] | undefined>

/** Query for the time of a decision that was made by a version of a slot. */
const DECIDED_AT = `SELECT toUnixTimestamp64Milli(min(timestamp)) AS at FROM slotstream.decisions
WHERE site_id = {site: String} AND slot_id = {slot: String} AND policy_version = {version: String} FORMAT JSONEachRow`

/** Query for all arms that experiments ever had. */
const EXPERIMENTS = `SELECT DISTINCT experiments FROM slotstream.experiment_changes
WHERE site_id = {site: String} FORMAT JSONEachRow`

/** Numbers as they are: times would be text otherwise. */
const AS_NUMBERS = { output_format_json_quote_64bit_integers: '0' }

/** Reads from ClickHouse which contents a slot had when decisions were made by it, as `explain` does. */
export function contentsOfVersions(site: string, slot: string, clickhouse: ClickHouseAddress): ContentsOfVersion {
  let ways: Promise<(ExperimentArm | undefined)[]> | undefined
  return async version => {
    ways ??= armsOf(site, slot, clickhouse).then(arms => [undefined, ...arms])
    const [decided] = await rowsOf<{ at: number }>(DECIDED_AT, { site, slot, version }, clickhouse)
    for (const at of catalogTimes(decided?.at ?? 0)) {
      const query = `${CATALOG_AT} FORMAT JSONEachRow`
      const rows = await rowsOf<{ kind: string; definition: string }>(query, { site, slot, at: `${at}` }, clickhouse)
      const ids = contentsOfVersion(catalogOfRows(rows), { slotId: slot, policyVersion: version }, await ways)
      if (ids) return ids
    }
    return undefined
  }
}

/** Returns the arms of a slot's experiments: each by itself, so that a fault of another one does not matter. */
async function armsOf(site: string, slot: string, clickhouse: ClickHouseAddress): Promise<ExperimentArm[]> {
  const arms = new Map<string, ExperimentArm>()
  for (const { experiments } of await rowsOf<{ experiments: string }>(EXPERIMENTS, { site }, clickhouse)) {
    const list = parseJson(experiments)
    for (const raw of Array.isArray(list) ? list : []) {
      if (!isObject(raw) || raw.slot !== slot) continue
      const checked = checkExperiments([raw])
      for (const arm of checked.ok ? checked.value.flatMap(each => each.arms) : []) arms.set(JSON.stringify(arm), arm)
    }
  }
  return [...arms.values()]
}

async function rowsOf<Row>(query: string, params: Record<string, string>, clickhouse: ClickHouseAddress) {
  const rows: Row[] = []
  for await (const line of linesOf(query, params, clickhouse, AS_NUMBERS)) rows.push(JSON.parse(line))
  return rows
}
