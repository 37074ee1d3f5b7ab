import {
  type ForgetRequest,
  forgetSubject,
  type Person,
  partitionOf,
  visitorIdOf,
  visitorsOf,
} from '@slotstream/protocol'
import { type Installation, type Log, type Nats, type Publisher, pause } from '@slotstream/runtime'
import { forEachAtOnce } from '../../profiles/store/for-each-at-once.js'
import { profileStoreOf } from '../../profiles/store/open-profile-store.js'
import type { Redis } from '../../profiles/store/redis/open-redis.js'
import { profileStreams } from '../find/find-person.js'
import type { Whose } from './strip.js'

/** Number of attempts to ask the owner of a partition, which may be moving, and the pauses between them. */
const ATTEMPTS = 10
const PAUSE_MS = 500
const ANSWER_MS = 3_000

/** Profiles that are looked up in a bucket at a time. */
const AT_ONCE = 32

/** Visitors in one request. */
const VISITORS_AT_ONCE = 500

export interface CleanProfilesDeps {
  nats: Nats
  publisher: Pick<Publisher, 'publish'>
  installation: Installation
  log: Log
  /** The Redis that has the profiles. Absent: they are in NATS KV */
  redis?: Redis | undefined
  whose: Whose
}

/**
 * Deletes the person's profiles: the owners of their partitions drop them from memory and from the bucket; then what is
 * left in the buckets of all generations goes. Resolves to how many there were.
 *
 * @throws when no process keeps the partition of another profile that was told of the person: call it again
 */
export async function cleanProfiles(deps: CleanProfilesDeps): Promise<number> {
  const { whose, installation, log } = deps
  const { siteId } = whose.person
  const store = profileStoreOf(deps)
  const removed = await forgetByOwners(whose, installation.partitions, {
    linkedTo: async visitorId => Object.keys((await store.read(siteId, visitorId)).profile?.links ?? {}),
    ask: (partition, request) => askOwner(deps, partition, request),
    log,
  })
  return removed + (await cleanBuckets(deps))
}

/** Profiles and owners of partitions, as `forgetByOwners` asks them. */
export interface Owners {
  /** Returns the ids of those with whom a visitor's profile has links. */
  linkedTo(visitorId: string): Promise<string[]>
  /** Resolves to how many profiles the owner of a partition had; undefined: no process answers. */
  ask(partition: number, request: ForgetRequest): Promise<number | undefined>
  log: Pick<Log, 'warn'>
}

/**
 * Has the owners of partitions forget a person; resolves to how many profiles they had. What profiles of others were
 * told goes first: only the person's own profiles say where it is, so that they stay until it is gone.
 *
 * @throws when no owner answers that keeps a profile of others
 */
export async function forgetByOwners({ person, before }: Whose, partitions: number, owners: Owners): Promise<number> {
  const { siteId } = person
  const links = await linksOfOthers(person, owners)
  for (const [partition, ofPartition] of groupBy(links, ([visitorId]) => partitionOf(siteId, visitorId, partitions))) {
    const answer = await owners.ask(partition, { siteId, visitorIds: [], before, links: ofPartition })
    if (answer === undefined)
      throw new Error(`no process keeps the partition ${partition}, where others were told of the person`)
  }
  let removed = 0
  for (const [partition, visitorIds] of byPartition(person, partitions))
    for (let first = 0; first < visitorIds.length; first += VISITORS_AT_ONCE) {
      const request = { siteId, visitorIds: visitorIds.slice(first, first + VISITORS_AT_ONCE), before }
      const answer = await owners.ask(partition, request)
      if (answer === undefined)
        owners.log.warn(
          { partition },
          'no process keeps the partition: its profiles are deleted from their bucket only',
        )
      removed += answer ?? 0
    }
  return removed
}

/**
 * Returns what profiles of other users say of the person's browsers: the key of the profile, and the browser; and which
 * profiles of others were told of them.
 */
async function linksOfOthers(
  person: Person,
  { linkedTo }: Pick<Owners, 'linkedTo'>,
): Promise<[visitorId: string, anonymousId: string][]> {
  const { browsers, anonymousIds, userIds } = person
  const deleted = new Set(visitorsOf(person))
  const links: [string, string][] = []
  for (const anonymousId of new Set([...anonymousIds, ...browsers]))
    for (const userId of await linkedTo(visitorIdOf({ anonymousId }))) {
      if (userIds.includes(userId)) continue
      const user = visitorIdOf({ userId })
      links.push([user, anonymousIds.includes(anonymousId) ? anonymousId : ''])
      for (const other of await linkedTo(user)) {
        const visitorId = visitorIdOf({ anonymousId: other })
        if (!deleted.has(visitorId)) links.push([visitorId, ''])
      }
    }
  return links
}

/**
 * Asks the owner of a partition to forget. One that does not answer is not there: the next owner reads what the bucket
 * has then.
 */
async function askOwner(
  { nats }: Pick<CleanProfilesDeps, 'nats'>,
  partition: number,
  request: ForgetRequest,
): Promise<number | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const body = JSON.stringify(request)
      const answer = await nats.connection.request(forgetSubject(partition), body, { timeout: ANSWER_MS })
      if (answer.data.length > 0) return answer.json<{ erased: number }>().erased
    } catch {
      // There is no subscriber, or no answer.
    }
    await pause(PAUSE_MS)
  }
  return undefined
}

async function cleanBuckets(deps: CleanProfilesDeps): Promise<number> {
  const { nats, installation, whose } = deps
  const { person, before } = whose
  let removed = 0
  for (const stream of await profileStreams(nats)) {
    const generation = Number(/_(\d+)$/.exec(stream)?.[1] ?? 0)
    const store = profileStoreOf({ ...deps, installation: { ...installation, generation } })
    await forEachAtOnce(AT_ONCE, visitorsOf(person), async visitorId => {
      const erased = await store.eraseProfile({ siteId: person.siteId, visitorId }, before)
      removed += erased
    })
  }
  return removed
}

function byPartition(person: Person, partitions: number): Map<number, string[]> {
  return groupBy(visitorsOf(person), visitorId => partitionOf(person.siteId, visitorId, partitions))
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => number): Map<number, T[]> {
  const grouped = new Map<number, T[]>()
  for (const item of items) grouped.set(keyOf(item), [...(grouped.get(keyOf(item)) ?? []), item])
  return grouped
}
