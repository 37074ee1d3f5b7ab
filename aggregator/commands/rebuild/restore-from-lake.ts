import type { ClickHouseClient } from '@clickhouse/client'
import type { CommandDeps } from '@slotstream/runtime'
import { lakeFolder } from '../../lake/lake-files.js'
import { type LakeSource, lakeSources } from '../../lake/lake-sources.js'
import { adoptLake } from '../../lake/whose-lake.js'
import { completeThrough, positionKeeper } from '../../warehouse/positions/position.js'
import { restoreTable } from './restore-table.js'

/**
 * Puts everything that the lake has and the tables lack back into them.
 *
 * @throws before anything is changed, when a table is still being filled in from the stream: what is missing is known
 *   only afterwards
 */
export async function restoreFromLake(
  lake: string,
  { installation, clickhouse, print }: Pick<CommandDeps, 'installation' | 'print'> & { clickhouse: ClickHouseClient },
): Promise<void> {
  const { positions, meta } = installation.buckets
  const fresh: (() => Promise<void>)[] = []
  for (const { stream, base, table } of await streamsOf(lake, lakeSources(installation))) {
    const last = (await lakeFolder(lake, table).list(stream)).at(-1)?.last ?? base
    const position = positionKeeper(positions, stream)
    const savedPosition = await position.load()
    const through = completeThrough(savedPosition, base)
    // Recreated, after everything was lost: its positions go on where the lake ends.
    if (!savedPosition && last > base)
      fresh.push(() => position.announce({ first: last + 1, last, offset: last, done: true }))
    else if (through === undefined || through < last)
      throw new Error(
        `${table} is not yet loaded as far as the lake has it: start the warehouse role, and try again later`,
      )
  }
  for (const announce of fresh) await announce()
  if (fresh.length > 0) await adoptLake(lake, meta)
  for (const source of new Map(lakeSources(installation).map(each => [each.table, each])).values()) {
    // Of all streams there ever were.
    const files = await lakeFolder(lake, source.table).list()
    const rows = await restoreTable(clickhouse, source, files)
    print(`${source.table}: ${rows} rows put back, ${files.length} files were looked at`)
  }
}

/**
 * Returns the installation's streams, and those that only the lake has: a later stream of that name must not begin
 * before them.
 */
async function streamsOf(lake: string, sources: LakeSource[]): Promise<LakeSource[]> {
  const byStream = new Map(sources.map(source => [source.stream, source]))
  for (const source of sources)
    for (const { stream } of await lakeFolder(lake, source.table).list())
      if (!byStream.has(stream)) byStream.set(stream, { ...source, stream, base: 0 })
  return [...byStream.values()]
}
