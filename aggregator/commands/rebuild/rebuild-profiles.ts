import { ANONYMOUS_PROFILE_DAYS, hasEnded } from '@slotstream/core'
import type { EventEnvelope, Profile } from '@slotstream/protocol'
import { DEFAULT_DEFINITIONS, type SitesDefinitions } from '../../profiles/definitions/compiled-definitions.js'
import { type EventRanges, type Range, readEventRanges } from '../../profiles/history/event-ranges.js'
import type { DecidedLink } from '../../profiles/links/decided-links.js'
import { createLinkList } from '../../profiles/links/link-list.js'
import { createGeneration, type NewGenerationDeps } from './profiles/new-generation.js'
import { replayPartition } from './profiles/replay-partition.js'

const NOTHING_DECLARED: Pick<SitesDefinitions, 'of' | 'siteIds'> = { of: () => DEFAULT_DEFINITIONS, siteIds: () => [] }

/** The installation, and the sources of its profiles. */
export interface RebuildProfilesDeps extends NewGenerationDeps {
  /**
   * Profiles of what came before the streams' first messages, each as of the sequence that `asOf` says of its
   * partition; undefined: the streams are all there is. Each envelope is given to `onEnvelope`.
   */
  history?: (
    ranges: readonly Range[],
    asOf: (partition: number) => number,
    onEnvelope: (envelope: EventEnvelope) => void,
  ) => AsyncIterable<Profile>
  /** Decisions about browsers and users that the streams may have no longer. Default: none */
  decided?: () => AsyncIterable<DecidedLink>
  /** Days after which the profile of a single anonymous visit has ended; 0 for never. Default 30 */
  anonymousDays?: number
  /** Milliseconds since the epoch. Default: the clock */
  now?: () => number
  /** Declarations of sites. Default: none */
  definitions?: Pick<SitesDefinitions, 'of' | 'siteIds'>
  print: (line: string) => void
}

/**
 * Computes all profiles again, in a bucket beside the one in use, and puts it into effect. The roles load it, replay
 * what came meanwhile, and then answer from it. One partition after the other is held in memory.
 *
 * @returns the generation that is in effect now
 * @throws when a stream no longer has its first messages and there is no `history`
 */
export async function rebuildProfiles(deps: RebuildProfilesDeps): Promise<number> {
  const { nats, installation, log, history, decided, print, definitions = NOTHING_DECLARED } = deps
  const { anonymousDays = ANONYMOUS_PROFILE_DAYS, now = Date.now } = deps
  const lasts = (profile: Profile) => !hasEnded(profile, now(), anonymousDays)
  const ranges = await readEventRanges(nats, installation)
  if (!history) requireBeginning(ranges)

  // What is declared from now on the live roles count.
  const counted = definitions.siteIds().map(siteId => [siteId, definitions.of(siteId).features] as const)
  const generation = await createGeneration(deps)
  const links = createLinkList()
  // Also before a first message numbered 1: the stream may have been recreated.
  if (history) {
    const count = await generation.writeAll(links.noted(filter(history(ranges.all, ranges.asOf, links.aliased), lasts)))
    print(`${count} profiles from the table events`)
  }

  const profileBefore = history && (async (...visitor: [string, string]) => (await generation.read(...visitor)).profile)
  let total = 0
  for (let partition = 0; partition < installation.partitions; partition++) {
    const definitionsOf = definitions.of
    const replayDeps = { nats, log, ranges, profileBefore, anonymousDays, definitionsOf, onEnvelope: links.aliased }
    const replayed = await replayPartition(partition, replayDeps)
    const profiles = [...replayed.values()].filter(lasts)
    total += await generation.writeAll(links.noted(profiles))
    await generation.removeOthers(partition, profiles, history !== undefined)
    await generation.writeCheckpoint(partition, ranges.currentOf(partition).end)
  }
  if (decided) for await (const link of decided()) links.decided(link)
  await links.writeTo(generation)
  for (const [siteId, features] of counted) await generation.noteFilled(siteId, features)
  await generation.switchTo()
  const ends = ranges.current.map(({ part, end }) => `${part.name} up to message ${end}`).join(', ')
  print(`${total} profiles from the stream, ${ends}: generation ${generation.generation} counts now`)
  return generation.generation
}

function requireBeginning({ all }: EventRanges): void {
  for (const { part, first } of all)
    if (first > part.start)
      throw new Error(`the stream ${part.name} begins at message ${first}: for what came before, use --from events`)
}

async function* filter<T>(items: AsyncIterable<T>, isWanted: (item: T) => boolean): AsyncGenerator<T> {
  for await (const item of items) if (isWanted(item)) yield item
}
