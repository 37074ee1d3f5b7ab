import type { ClickHouseClient } from '@clickhouse/client'
import { lakeFolder } from '../batch/lake/lake-files.js'
import { lakeSources } from '../batch/lake/lake-sources.js'
import type { CommandParts } from '../command/run-command.js'
import { completeThrough, positionKeeper } from '../warehouse/position.js'
import { restoreTable } from './restore-table.js'

/**
 * Puts everything that the lake has and the tables lack back into them.
 *
 * @throws when a table is still being filled in from the stream: what is missing is known only afterwards
 */
export async function restoreFromLake(
  lake: string,
  { installation, clickhouse, say }: Pick<CommandParts, 'installation' | 'say'> & { clickhouse: ClickHouseClient },
): Promise<void> {
  for (const source of lakeSources(installation)) {
    const { stream, base, table } = source
    const files = await lakeFolder(lake, table).list(stream)
    const through = completeThrough(await positionKeeper(installation.buckets.positions, stream).load(), base)
    const last = files.at(-1)?.last ?? base
    if (through === undefined || through < last)
      throw new Error(
        `${table} is not yet loaded as far as the lake has it: start the warehouse role, and try again later`,
      )
    say(
      `${table}: ${await restoreTable(clickhouse, source, files)} rows of ${stream} put back from ${files.length} files`,
    )
  }
}
