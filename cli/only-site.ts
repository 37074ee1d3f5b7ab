import { CommandError } from '@slotstream/tracking-plan'
import { type ClickHouseAddress, linesOf } from './clickhouse-query.js'

/** Decisions by which a site is found. */
export interface DecisionsOfAnySite {
  /** Undefined: any */
  slot: string | undefined
  /** Times from which and before which it was decided, in milliseconds since the epoch. */
  from: number
  to: number
}

/** Condition for rows of a period, whose ends are the parameters `from` and `to` in milliseconds. */
export const inPeriod = (time: string) =>
  `${time} >= fromUnixTimestamp64Milli({from:Int64}) AND ${time} < fromUnixTimestamp64Milli({to:Int64})`

/**
 * Returns the only site that has some decisions.
 *
 * @throws CommandError where there is none, or several
 */
export async function onlySite({ slot, from, to }: DecisionsOfAnySite, settings: ClickHouseAddress): Promise<string> {
  const ofSlot = slot === undefined ? '' : 'slot_id = {slot:String} AND '
  const query = `SELECT DISTINCT site_id FROM slotstream.decisions
WHERE ${ofSlot}${inPeriod('timestamp')} ORDER BY site_id LIMIT 3 FORMAT TSV`
  const params = { from: String(from), to: String(to), ...(slot !== undefined && { slot }) }
  const sites: string[] = []
  for await (const site of linesOf(query, params, settings)) sites.push(site)
  const what = slot === undefined ? 'decisions' : `a slot ${slot}`
  if (sites.length === 1) return sites[0]!
  if (sites.length > 1)
    throw new CommandError(`several sites have ${what}: name one with --site, such as ${sites.join(', ')}`)
  throw new CommandError(`there are no decisions${slot === undefined ? '' : ` of the slot ${slot}`} in that time`)
}
