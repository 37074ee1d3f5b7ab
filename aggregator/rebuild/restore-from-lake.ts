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
    const last = files.at(-1)?.last ?? base
    const position = positionKeeper(installation.buckets.positions, stream)
    const known = await position.load()
    // Begun anew, after everything was lost: its positions go on where the lake ends.
    if (!known && files.length > 0) await position.announce({ first: last + 1, last, offset: last, done: true })
    const through = known ? completeThrough(known, base) : last
    if (through === undefined || through < last)
      throw new Error(
        `${table} is not yet loaded as far as the lake has it: start the warehouse role, and try again later`,
      )
    say(
      `${table}: ${await restoreTable(clickhouse, source, files)} rows of ${stream} put back from ${files.length} files`,
    )
  }
}
