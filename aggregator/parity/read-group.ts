import type { ClickHouseClient } from '@clickhouse/client'
import { hasEnded } from '@slotstream/core'
import { isPersonKey, type Profile, partitionOf, visitorIdOf } from '@slotstream/protocol'
import { envelopeOf } from '../clickhouse/event-rows.js'
import type { CompiledDefinitions } from '../profiles/definitions/compiled-definitions.js'
import type { DecidedLink } from '../profiles/links/decided-links.js'
import { createLinkList } from '../profiles/links/link-list.js'
import type { ReadStored } from '../profiles/reads/read-stored.js'
import { type Recomputation, recompute } from './recompute.js'
import { namedTogether } from './sample-visitors.js'
import type { StreamPositions } from './stream-positions.js'
import { idOfKey, messagesOf } from './visitor-rows.js'

/**
 * Age of the messages of a profile that was not found from which on it is missing, in milliseconds: younger ones may be
 * on their way.
 */
const ON_THEIR_WAY_MS = 2_000

/** Visitors who are read from their owners at a time. */
const AT_ONCE = 32

export interface GroupDeps {
  clickhouse: ClickHouseClient
  readStored: ReadStored
  positions: StreamPositions
  partitions: number
  definitions: CompiledDefinitions
  decided: readonly DecidedLink[]
  /** See `applyAndDetect`. */
  anonymousDays: number
  now: () => number
}

/**
 * Profiles of some visitors and of all whom they are linked with, as the owners have them and as the rows give them.
 */
export interface ProfileGroup {
  stored: ReadonlyMap<string, Profile>
  recomputed: ReadonlyMap<string, Profile>
  /** Visitors for whom no owner answered, with the reason. */
  unanswered: ReadonlyMap<string, string>
  /** Visitors of whom the table does not have all that their profile has. */
  unloaded: ReadonlySet<string>
}

/** Reads the profiles of a group of visitors first, then their rows up to where each profile was. */
export async function readGroup(site: string, visitorIds: readonly string[], deps: GroupDeps): Promise<ProfileGroup> {
  const { clickhouse, positions, partitions } = deps
  const sampled = visitorIds.map(idOfKey)
  const together = await namedTogether(
    clickhouse,
    site,
    sampled.flatMap(id => ('anonymousId' in id ? [id.anonymousId] : [])),
    sampled.flatMap(id => ('userId' in id ? [id.userId] : [])),
  )
  const linked = together.flatMap(({ anonymousId, userId }) => [visitorIdOf({ anonymousId }), visitorIdOf({ userId })])
  const { stored, unanswered, readAt } = await readOwned(site, new Set([...visitorIds, ...linked]), deps)

  const partitionFor = (visitorId: string) => partitionOf(site, visitorId, partitions)
  const positionFor = (visitorId: string, seq: number) => positions.positionOf(partitionFor(visitorId), seq)
  const neededPositions = new Map<number, number>()
  for (const [visitorId, { seq }] of stored) {
    const partition = partitionFor(visitorId)
    neededPositions.set(partition, Math.max(neededPositions.get(partition) ?? 0, positionFor(visitorId, seq)))
  }
  const isLoaded = await positions.untilLoaded(neededPositions)
  const unloaded = [...stored].filter(([id, { seq }]) => !isLoaded(partitionFor(id), positionFor(id, seq)))

  const recomputed = await recomputeAll(site, [...readAt.keys()], {
    ...deps,
    stored,
    /** Returns whether a message is one that the profile had when it was read. */
    isIn: (visitorId, position, receivedAt) => {
      const profile = stored.get(visitorId)
      if (profile) return position <= positionFor(visitorId, profile.seq)
      return Date.parse(receivedAt) < readAt.get(visitorId)! - ON_THEIR_WAY_MS
    },
    positionFor,
  })
  return { stored, recomputed, unanswered, unloaded: new Set(unloaded.map(([visitorId]) => visitorId)) }
}

/**
 * Reads profiles from their owners, and those of the visitors that they are linked with. One that has ended is none.
 */
async function readOwned(site: string, visitorIds: ReadonlySet<string>, { readStored, anonymousDays, now }: GroupDeps) {
  const stored = new Map<string, Profile>()
  const unanswered = new Map<string, string>()
  const readAt = new Map<string, number>()
  let waiting = [...visitorIds]

  async function readOne(visitorId: string): Promise<void> {
    try {
      const [read] = await readStored(site, [visitorId])
      readAt.set(visitorId, read?.readAt ?? now())
      if (read?.profile && !hasEnded(read.profile, now(), anonymousDays)) stored.set(visitorId, read.profile)
    } catch (error) {
      readAt.set(visitorId, now())
      unanswered.set(visitorId, (error as Error).message)
    }
  }

  // A browser's users, and their browsers.
  for (let level = 0; level <= 2 && waiting.length > 0; level++) {
    for (let first = 0; first < waiting.length; first += AT_ONCE)
      await Promise.all(waiting.slice(first, first + AT_ONCE).map(readOne))
    const linked = waiting.flatMap(visitorId => linkedKeys(stored.get(visitorId)))
    waiting = [...new Set(linked)].filter(visitorId => !readAt.has(visitorId))
  }
  return { stored, unanswered, readAt }
}

function linkedKeys(profile: Profile | undefined): string[] {
  const ofPerson = profile && isPersonKey(profile.visitorId)
  return Object.keys(profile?.links ?? {})
    .map(other => visitorIdOf(ofPerson ? { anonymousId: other } : { userId: other }))
    .filter(visitorId => visitorId !== '')
}

interface RecomputeDeps extends GroupDeps {
  stored: ReadonlyMap<string, Profile>
  isIn: (visitorId: string, position: number, receivedAt: string) => boolean
  positionFor: (visitorId: string, seq: number) => number
}

/** Computes the profiles of some visitors again, and links browsers and users as their messages and decisions say. */
async function recomputeAll(
  site: string,
  visitorIds: readonly string[],
  { clickhouse, stored, isIn, positionFor, definitions, decided, anonymousDays, now }: RecomputeDeps,
): Promise<Map<string, Profile>> {
  const rules = { ...definitions, anonymousDays }
  const profiles = new Map<string, Profile>()
  const links = createLinkList()
  let visitor: { id: string; recomputation: Recomputation } | undefined

  async function keep(all: AsyncIterable<Profile> | Iterable<Profile>): Promise<void> {
    for await (const profile of all) profiles.set(profile.visitorId, profile)
  }
  async function finish(): Promise<void> {
    const profile = visitor?.recomputation.finish()
    if (profile && !hasEnded(profile, now(), anonymousDays)) await keep(links.noted([profile]))
  }

  for await (const { visitorId, position, rows } of messagesOf(clickhouse, site, visitorIds)) {
    if (visitor?.id !== visitorId) {
      await finish()
      const positionOf = (seq: number) => positionFor(visitorId, seq)
      visitor = { id: visitorId, recomputation: recompute(stored.get(visitorId), rules, positionOf) }
    }
    if (!isIn(visitorId, position, rows[0].received_at)) continue
    visitor.recomputation.add(position, rows)
    links.aliased(envelopeOf(rows))
  }
  await finish()
  for (const link of decided) links.decided(link)
  await links.writeTo({
    read: async (_site, visitorId) => ({ profile: profiles.get(visitorId) }),
    writeAll: keep,
  })
  return profiles
}
