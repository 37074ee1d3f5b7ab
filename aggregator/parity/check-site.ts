import type { ClickHouseClient } from '@clickhouse/client'
import { isoTime, type Site, visitorIdOf } from '@slotstream/protocol'
import { type Installation, type Nats, pause } from '@slotstream/runtime'
import type { CompiledDefinitions } from '../profiles/definitions/compiled-definitions.js'
import { decidedLinks } from '../profiles/links/decided-links.js'
import { createReadStored } from '../profiles/reads/read-stored.js'
import { type Checked, comparePerson } from './compare-person.js'
import { readGroup } from './read-group.js'
import { createTally, isFault, type ParityReport } from './report.js'
import { sampleVisitors } from './sample-visitors.js'
import { readStreamPositions } from './stream-positions.js'

const DAY_MS = 24 * 3_600_000

/** Visitors whose rows are read with one query. */
const GROUP = 50

/**
 * Time until a visitor of whom something differed is looked at once more, in milliseconds: of what passes from
 * partition to partition within 2 s, one side may have been read before the other.
 */
const LOOK_AGAIN_MS = 3_000

/** Time between two looks whether the deletion of a person is over, in milliseconds. */
const QUIET_MS = 1_000

/** The installation that is looked at. */
export interface ParityDeps {
  nats: Pick<Nats, 'connection'>
  installation: Pick<Installation, 'partitions' | 'streams' | 'past' | 'buckets'>
  /** A user who may read. */
  clickhouse: ClickHouseClient
  definitionsOf: (siteId: string) => CompiledDefinitions
  anonymousDays: number
  /** See `Jobs.quiet`: while a person is deleted, rows and profiles go one after the other. */
  quiet: () => Promise<number | undefined>
  signal?: AbortSignal
  /** The clock, in milliseconds since the epoch. Default: the system's */
  now?: () => number
}

/**
 * Compares a sample of a site's persons with what the rows of `events` give. Nothing is changed.
 *
 * @param sample most visitors that are compared
 * @param salt by which they are drawn: a date
 */
export async function checkSite(
  site: Pick<Site, 'siteId' | 'retention' | 'spread'>,
  sample: number,
  salt: string,
  deps: ParityDeps,
): Promise<ParityReport> {
  const { nats, installation, clickhouse, quiet, signal, now = Date.now } = deps
  const { siteId, retention, spread = [] } = site
  const begun = now()
  const tally = createTally(siteId, isoTime(begun))
  const withoutProfile = new Set(spread.flatMap(id => [id, visitorIdOf({ anonymousId: id })]))
  const drawn = await sampleVisitors(clickhouse, siteId, salt, sample + withoutProfile.size)
  const visitors = drawn.filter(id => !withoutProfile.has(id)).slice(0, sample)
  const keptFrom = retention?.events === undefined ? 0 : begun - retention.events * DAY_MS
  for (let first = 0; first < visitors.length; first += GROUP) {
    const group = visitors.slice(first, first + GROUP)
    const checked = await checkGroup(group)
    const doubtful = group.filter(visitorId => hasFault(checked.get(visitorId)!))
    if (doubtful.length > 0) {
      await pause(LOOK_AGAIN_MS, signal)
      for (const [visitorId, again] of await checkGroup(doubtful)) checked.set(visitorId, again)
    }
    for (const [visitorId, result] of checked)
      if ('skip' in result) tally.skip(result.skip, result.why)
      else tally.add(visitorId, result.features)
  }
  return tally.report()

  async function checkGroup(visitorIds: readonly string[]): Promise<Map<string, Checked>> {
    for (;;) {
      const before = await untilQuiet()
      const result = await compareGroup(visitorIds)
      if ((await quiet()) === before) return result
    }
  }

  async function untilQuiet(): Promise<number> {
    for (;;) {
      signal?.throwIfAborted()
      const number = await quiet()
      if (number !== undefined) return number
      await pause(QUIET_MS, signal)
    }
  }

  async function compareGroup(visitorIds: readonly string[]): Promise<Map<string, Checked>> {
    const { partitions } = installation
    const decided = []
    for await (const link of decidedLinks(clickhouse, siteId)) decided.push(link)
    const profiles = await readGroup(siteId, visitorIds, {
      clickhouse,
      readStored: createReadStored({ nats, partitions, profileOf: async () => undefined, serves: () => false, now }),
      positions: await readStreamPositions(installation, { ...(signal && { signal }) }),
      partitions,
      definitions: deps.definitionsOf(siteId),
      decided,
      anonymousDays: deps.anonymousDays,
      now,
    })
    const rules = { features: deps.definitionsOf(siteId).features, keptFrom, at: now() }
    const results = new Map<string, Checked>()
    for (const visitorId of visitorIds) results.set(visitorId, await comparePerson(visitorId, profiles, rules))
    return results
  }
}

function hasFault(checked: Checked): boolean {
  return 'features' in checked && [...checked.features.values()].some(isFault)
}
