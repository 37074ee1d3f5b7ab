import type { ClickHouseClient } from '@clickhouse/client'
import { type EventEnvelope, partitionOf } from '@slotstream/protocol'
import { type CommandDeps, watchTombstones } from '@slotstream/runtime'
import { removeForgotten } from '../../people/clean/remove-forgotten.js'
import { watchBotTreatment, withBotTreatment } from '../../profiles/definitions/bot-treatment.js'
import { noteBuiltIn } from '../../profiles/definitions/built-in-edition.js'
import { createSitesDefinitions, type ReducerDefinitions } from '../../profiles/definitions/compiled-definitions.js'
import { watchDefinitions } from '../../profiles/definitions/watch-definitions.js'
import type { Range } from '../../profiles/history/event-ranges.js'
import { watchRewardEvents, withStopEvents } from '../../profiles/learning/watch-reward-events.js'
import { decidedLinks } from '../../profiles/links/decided-links.js'
import type { Redis } from '../../profiles/store/redis/open-redis.js'
import { positionKeeper } from '../../warehouse/positions/position.js'
import { clusterDdl } from '../../warehouse/tables/cluster-ddl.js'
import { deleteRemovedImports } from '../learning/import-rows.js'
import { createImports } from '../learning/imports.js'
import { derivedTables, readViews } from './derived-tables.js'
import { eventsBetween, profilesOf, withoutEndedAbsences } from './history.js'
import { rebuildModels } from './models/rebuild-models.js'
import { type Command, MODELS } from './parse-arguments.js'
import { rebuildProfiles } from './rebuild-profiles.js'
import { rebuildTable } from './rebuild-table.js'
import { removeGeneration } from './remove-generation.js'
import { restoreFromLake } from './restore-from-lake.js'
import { loadedTables } from './sources.js'

const PROFILES = 'profiles'

/** The installation, and what a command may need beside it. */
export interface RebuildDeps extends CommandDeps {
  clickhouse: ClickHouseClient
  /** The lake's folder, for what is rebuilt from it. */
  lake?: string
  /** See `applyAndDetect`. */
  anonymousDays?: number
  /** Bytes that the sums of models may take. Default: no bound */
  learningBytes?: number
  /** Name of the cluster that the tables are on; '' for a single server. */
  cluster?: string
  /** The Redis that has the profiles. Absent: they are in NATS KV */
  redis?: Redis | undefined
}

/**
 * Rebuilds what was ordered: derived tables from the tables they are made of, profiles from the stream, models from the
 * table of what came of decisions.
 *
 * @returns the generation of old profiles that could not be deleted, because a process still reads it
 */
export async function rebuild(
  { from, only }: Command,
  { clickhouse, lake = '', anonymousDays, learningBytes, cluster = '', ...parts }: RebuildDeps,
): Promise<number | undefined> {
  const { nats, installation, publisher, print } = parts
  const sources = loadedTables(installation, publisher)
  const isSelected = (name: string) => !only || only.includes(name)
  // Profiles may be rebuilt while ClickHouse is unreachable.
  const needsTables = !only || only.some(name => name !== PROFILES && name !== MODELS)
  const tables = needsTables ? derivedTables(await readViews(clickhouse, [...sources.keys()])) : []
  const unknown = only?.find(name => name !== PROFILES && name !== MODELS && !tables.some(table => table.name === name))
  if (unknown)
    throw new Error(
      `there is no derived table ${unknown}: there are ${tables.map(({ name }) => name).join(', ') || 'none'}`,
    )

  if (from === 'lake') await restoreFromLake(lake, { ...parts, clickhouse })
  // What a backup or an older copy of the lake brought back.
  if (from !== 'stream') await forgetDeleted()
  for (const table of tables) {
    if (!isSelected(table.name)) continue
    const heldMs = await rebuildTable(clickhouse, table, sources)
    print(`${table.name}: rebuilt, loading was held for ${heldMs} ms`)
  }
  if (only?.includes(MODELS)) await rebuildModels(clickhouse, parts, learningBytes)
  if (!isSelected(PROFILES)) return undefined
  const bots = await watchBotTreatment(nats, installation.buckets.sites, parts.log)
  const edition = await noteBuiltIn(installation.buckets.definitions)
  const rewardEvents = await watchRewardEvents(nats, installation.buckets.catalog, parts.log)
  const definitions = withStopEvents(withBotTreatment(createSitesDefinitions(parts.log, edition), bots), rewardEvents)
  const watching = await watchDefinitions(nats, installation.buckets.definitions, definitions.set, parts.log)
  const generation = await rebuildProfiles({
    ...parts,
    definitions,
    ...(anonymousDays !== undefined && { anonymousDays }),
    ...(from !== 'stream' && {
      history: (ranges, asOf, onEnvelope) => history(ranges, asOf, { definitionsOf: definitions.of, onEnvelope }),
      decided: () => decidedLinks(clickhouse),
    }),
  }).finally(() => {
    watching.stop()
    bots.stop()
    rewardEvents.stop()
  })
  const removed = await removeGeneration({ ...parts, old: generation - 1 })
  return removed ? undefined : generation - 1

  async function forgetDeleted(): Promise<void> {
    const tombstones = await watchTombstones(nats, installation, parts.log)
    const removed = await removeForgotten(clickhouse, tombstones, clusterDdl(cluster))
    tombstones.stop()
    for (const [table, rows] of Object.entries(removed))
      print(`${table}: ${rows} rows of people who were deleted, removed`)
    const imports = await createImports(installation.buckets.meta).removed()
    const rows = await deleteRemovedImports(clickhouse, imports, clusterDdl(cluster))
    if (rows > 0) print(`learning_outcomes: ${rows} rows of imported logs that were removed, removed`)
  }

  async function* history(
    ranges: readonly Range[],
    asOf: (partition: number) => number,
    {
      definitionsOf,
      onEnvelope,
    }: { definitionsOf: (siteId: string) => ReducerDefinitions; onEnvelope: (envelope: EventEnvelope) => void },
  ) {
    const before = ranges.map(async range => ({
      after: range.part.base,
      before: range.first + (await offsetOf(range)),
    }))
    const rows = eventsBetween(clickhouse, await Promise.all(before))
    const ofVisitor = (siteId: string, visitorId: string) =>
      asOf(partitionOf(siteId, visitorId, installation.partitions))
    const beginnings = ranges.map(({ firstAt }) => firstAt).filter(at => at > 0)
    const endedAt = beginnings.length > 0 ? Math.min(...beginnings) : Date.now()
    for await (const profile of profilesOf(rows, ofVisitor, anonymousDays, definitionsOf, onEnvelope))
      yield withoutEndedAbsences(profile, definitionsOf(profile.siteId), endedAt)
  }

  /** Returns the offset of a stream's sequences in the table; of a recreated stream, also before a loader says so. */
  async function offsetOf({ part: { name, base }, end }: Range): Promise<number> {
    const position = await positionKeeper(installation.buckets.positions, name).load()
    const offset = position?.offset ?? base
    const reached = Math.max(position?.last ?? base, position?.pending?.last ?? base)
    return end + offset < reached ? reached : offset
  }
}
