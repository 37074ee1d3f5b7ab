import { featuresAfter, fillProfile, isWhole, type ProfileFill } from '@slotstream/core'
import { visitorText } from '@slotstream/protocol'
import type { Tombstones } from '@slotstream/runtime'
import type { ChangeProfile } from '../apply/applier.js'
import { withoutForgotten } from '../apply/without-forgotten.js'
import { type EventRanges, readEventRanges } from '../history/event-ranges.js'
import { messagesOf } from '../history/partition-messages.js'
import type { LoadedPartition } from '../partition/load-partition.js'
import { forEachAtOnce } from '../store/for-each-at-once.js'
import { beginContents, type ContentsFill, type FillContentsDeps } from './contents/fill-contents.js'
import { createShadows, HASHES, type Shadow } from './shadows.js'
import type { WantedFill } from './wanted-fill.js'

/** Messages that are read ahead: each may be as large as a batch. */
const READ_AHEAD = 100

/** Profiles that are changed at once: most of them may have to be read. */
const CHANGES_AT_ONCE = 16

/** Rounds over visitors that counted a feature before its history was, at most: one is enough unless owners change. */
const MAX_ROUNDS = 10

/** A fill that ended because something else is to be filled now, or because the partition was given up. */
export class FillEnded extends Error {
  override name = 'FillEnded'
}

export interface FillPartitionDeps extends Omit<FillContentsDeps, 'goOn'> {
  tombstones: Tombstones
  /** See `applyAndDetect`. */
  anonymousDays: number
  /** Bytes that visitors may take whose history is counted: others are counted in another pass. */
  maxBytes: number
  /** Changes a profile in turn with the messages. */
  change: ChangeProfile
  /** Asked after each message: what to wait for before the next one. */
  pace: () => Promise<void> | undefined
  /** Waits for room for changes, see `createRooms`. */
  room: () => Promise<void> | undefined
  /** Called with each message read, and how many sequences are still to be read. */
  onMessage: (remaining: number) => void
  /** Returns whether the fill is to go on. */
  goesOn: () => boolean
}

/** Result of a fill. */
export interface FillOutcome {
  /** Messages read, in all passes. */
  messages: number
  /** Profiles that were changed. */
  profiles: number
  passes: number
  through: number
}

/**
 * Counts the history of features of some sites in a partition, from the messages that the streams have, and puts it
 * into the profiles in memory. Live messages go on meanwhile. What was done already changes nothing when it is done
 * again.
 *
 * @throws FillEnded
 */
export async function fillPartition(
  partition: LoadedPartition,
  wantedFills: ReadonlyMap<string, WantedFill>,
  deps: FillPartitionDeps,
): Promise<FillOutcome> {
  // What comes after it is counted as it comes: the features are in effect.
  const { through } = partition.progress
  const ranges = await readEventRanges(deps.nats, deps.installation)
  const bounds = { through, oldest: ranges.asOf(partition.index), end: ranges.currentOf(partition.index).end }
  const contents = await beginContents(partition.index, wantedFills, bounds, { ...deps, goOn: () => endUnless(deps) })
  const fills = new Map<string, ProfileFill>()
  for (const [siteId, { features, after }] of wantedFills)
    fills.set(siteId, {
      features,
      counted: featuresAfter(features, after),
      through,
      ...ranges.beginOf(partition.index),
    })
  const outcome: FillOutcome = { messages: 0, profiles: 0, passes: 0, through }
  /** Sequences at which the history is read of visitors who counted a feature before its history was counted. */
  let open: ReadonlyMap<string, readonly number[]> | undefined
  for (let round = 0; !open || open.size > 0; round++) {
    if (round === MAX_ROUNDS) throw new Error(`${open!.size} profiles changed in each of ${MAX_ROUNDS} rounds`)
    open = await fillRound(partition, { fills, ranges, open, contents, outcome }, deps)
  }
  await contents?.end()
  return outcome
}

interface Round {
  fills: ReadonlyMap<string, ProfileFill>
  ranges: EventRanges
  /** Undefined: all visitors. */
  open: ReadonlyMap<string, readonly number[]> | undefined
  /** The features of content, of which the first round counts all. Undefined: there are none */
  contents: ContentsFill | undefined
  outcome: FillOutcome
}

const NO_BOUNDS: readonly number[] = []

/** Goes over all visitors, or those that are open. Returns those that are open now. */
async function fillRound(
  partition: Pick<LoadedPartition, 'index' | 'cache'>,
  round: Round,
  deps: FillPartitionDeps,
): Promise<Map<string, number[]>> {
  const { fills, open, outcome } = round
  const contents = open ? undefined : round.contents
  const stillOpen = new Map<string, number[]>()
  let low = 0
  while (low < HASHES) {
    const shadows = createShadows({
      fills,
      maxBytes: deps.maxBytes,
      low,
      boundsOf: key => (open ? open.get(key) : NO_BOUNDS),
      isWanted: contents?.isWanted,
      anonymousDays: deps.anonymousDays,
      async isOlder(siteId, visitorId) {
        const profile = await partition.cache.get(siteId, visitorId)
        return profile !== undefined && !isWhole(profile, fills.get(siteId)!)
      },
    })
    outcome.passes++
    await readPass(partition.index, round, shadows.add, deps)
    const counted = shadows.finish()
    await contents?.publish(counted, async ({ siteId, visitorId }) => partition.cache.get(siteId, visitorId))
    await forEachAtOnce(CHANGES_AT_ONCE, counted, async shadow => {
      const missing = await fillOne(partition, shadow, fills.get(shadow.siteId)!, outcome, deps)
      if (missing.length > 0) stillOpen.set(visitorText(shadow.siteId, shadow.visitorId), missing)
    })
    low = shadows.high
  }
  return stillOpen
}

async function readPass(
  index: number,
  { fills, ranges, outcome }: Round,
  add: ReturnType<typeof createShadows>['add'],
  deps: FillPartitionDeps,
): Promise<void> {
  const { nats, log, tombstones, onMessage } = deps
  const [{ through }] = fills.values() as Iterable<ProfileFill> as [ProfileFill]
  for await (const { envelope, seq } of messagesOf(index, { nats, log, ranges }, through, READ_AHEAD)) {
    const remaining = withoutForgotten(envelope, tombstones)
    if (!(remaining instanceof Error)) await add(remaining, seq)
    outcome.messages++
    onMessage(through - seq)
    await step(deps.pace, deps)
  }
}

/** Puts a visitor's history into the profile. Returns where it has to be looked at as well before. */
async function fillOne(
  { cache }: Pick<LoadedPartition, 'cache'>,
  { siteId, visitorId, at }: Shadow,
  fill: ProfileFill,
  outcome: FillOutcome,
  deps: FillPartitionDeps,
): Promise<number[]> {
  let missing: number[] = []
  // Read before its turn: messages wait behind it.
  await cache.get(siteId, visitorId)
  await deps.change(siteId, visitorId, profile => {
    const filled = fillProfile(profile, at, fill)
    if ('missing' in filled) {
      missing = filled.missing.sort((a, b) => a - b)
      return profile
    }
    if (filled.profile !== profile) outcome.profiles++
    return filled.profile
  })
  await step(deps.room, deps)
  return missing
}

async function step(
  next: () => Promise<void> | undefined,
  { goesOn }: Pick<FillPartitionDeps, 'goesOn'>,
): Promise<void> {
  const waiting = next()
  if (waiting) await waiting
  endUnless({ goesOn })
}

/** @throws FillEnded */
function endUnless({ goesOn }: Pick<FillPartitionDeps, 'goesOn'>): void {
  if (!goesOn()) throw new FillEnded('the fill is not needed any more')
}
