import { applyToHistory, hasEnded, type ProfileFill, profileBytes } from '@slotstream/core'
import { type ContentAmounts, type EventEnvelope, hash32, type Profile, visitorText } from '@slotstream/protocol'
import { NO_PATTERNS } from '../definitions/compiled-definitions.js'
import { type ContentHistory, createContentHistory } from './contents/content-history.js'

/** Messages of a visitor between two looks at how large its shadow is. */
const LOOK_EVERY = 64

/** First hash beyond those that there are. */
export const HASHES = 2 ** 32

/** A visitor whose history is counted beside the profile that there is. */
export interface Shadow {
  readonly siteId: string
  readonly visitorId: string
  readonly hash: number
  /** Amounts that they add to features of content. Undefined: none */
  readonly contents: ContentHistory | undefined
  /** Profile after the messages up to a sequence. */
  readonly at: Map<number, Profile | undefined>
}

/** Visitors whose history is counted in one pass over a partition's messages, within bounds of memory. */
export interface Shadows {
  /** Counts a message, if its visitor is of this pass. Resolves when it had to wait for the profile. */
  add(envelope: EventEnvelope, seq: number): void | Promise<void>
  /** Returns the visitors, with what all their messages gave. */
  finish(): Shadow[]
  /** Hash of visitors at which the next pass begins; `HASHES` where this is the last one. */
  readonly high: number
}

export interface ShadowsDeps {
  /** Fills by site: messages of other sites are not counted. */
  fills: ReadonlyMap<string, ProfileFill>
  /** Bytes that the shadows may take: beyond it those of the greatest hashes are left to the next pass. */
  maxBytes: number
  /** Hash of visitors at which this pass begins. */
  low: number
  /**
   * Returns, in order, the sequences at which a visitor's history is looked at beside the last one; undefined where the
   * visitor is not wanted.
   */
  boundsOf: (key: string) => readonly number[] | undefined
  /** Returns whether a message counts for a feature of content. Default: for none */
  isWanted?: ((siteId: string, version: string, seq: number) => boolean) | undefined
  /** See `hasEnded`. */
  anonymousDays: number
  /**
   * Resolves to whether a visitor's profile is older than the streams' messages. It has not ended since, whatever those
   * alone say.
   */
  isOlder: (siteId: string, visitorId: string) => Promise<boolean>
}

interface Entry extends Shadow {
  contents: ContentHistory | undefined
  /** Bytes that these take. */
  contentBytes: number
  readonly bounds: number[]
  profile: Profile | undefined
  bytes: number
  messages: number
  /** Undefined until it matters. */
  isOlder?: boolean
}

/** Begins a pass. */
export function createShadows(deps: ShadowsDeps): Shadows {
  const { fills, maxBytes, low, boundsOf, isWanted, anonymousDays, isOlder } = deps
  const entries = new Map<string, Entry>()
  let high = HASHES
  let bytes = 0

  function entryOf(siteId: string, visitorId: string): Entry | undefined {
    const key = visitorText(siteId, visitorId)
    const existing = entries.get(key)
    if (existing) return existing
    const hash = hash32(key)
    const bounds = hash >= low && hash < high ? boundsOf(key) : undefined
    if (!bounds) return undefined
    const at = new Map<number, Profile | undefined>()
    const contents = { contents: undefined, contentBytes: 0 }
    const counted = { bounds: [...bounds], at, profile: undefined, bytes: 0, messages: 0 }
    const entry: Entry = { siteId, visitorId, hash, ...contents, ...counted }
    entries.set(key, entry)
    return entry
  }

  function count(entry: Entry, envelope: EventEnvelope, seq: number, { counted }: ProfileFill): void {
    while (entry.bounds.length > 0 && entry.bounds[0]! < seq) entry.at.set(entry.bounds.shift()!, entry.profile)
    const days = entry.isOlder ? 0 : anonymousDays
    const rules = { anonymousDays: days, features: counted, patterns: NO_PATTERNS }
    try {
      const applied = applyToHistory(entry.profile, envelope, seq, rules)
      entry.profile = applied.profile
      if (applied.contents && isWanted) addContents(entry, envelope, seq, applied.contents, isWanted)
    } catch {
      // The live role stores it as a dead letter.
    }
    const { messages } = entry
    entry.messages++
    // The first ones make most of it.
    if ((messages & (messages - 1)) === 0 || messages % LOOK_EVERY === 0) weigh(entry)
  }

  function weigh(entry: Entry): void {
    const now = entry.contentBytes + (entry.profile ? profileBytes(entry.profile) : 0)
    bytes += now - entry.bytes
    entry.bytes = now
    while (bytes > maxBytes && dropUpperHalf()) {}
  }

  /** Leaves visitors to the next pass. Returns false where only those of one hash are left: a pass has to get on. */
  function dropUpperHalf(): boolean {
    const hashes = [...entries.values()].map(({ hash }) => hash).sort((a, b) => a - b)
    const middle = hashes.find((hash, place) => place >= hashes.length >> 1 && hash > hashes[0]!)
    if (middle === undefined) return false
    high = middle
    for (const [key, entry] of entries) {
      if (entry.hash < high) continue
      entries.delete(key)
      bytes -= entry.bytes
    }
    return true
  }

  async function countOlder(entry: Entry, envelope: EventEnvelope, seq: number, fill: ProfileFill): Promise<void> {
    entry.isOlder = await isOlder(entry.siteId, entry.visitorId)
    count(entry, envelope, seq, fill)
  }

  return {
    add(envelope, seq) {
      const fill = fills.get(envelope.siteId)
      const entry = fill && entryOf(envelope.siteId, envelope.visitorId)
      if (!entry) return undefined
      const isInDoubt = fill.from > 0 && entry.isOlder === undefined && entry.profile !== undefined
      if (isInDoubt && hasEnded(entry.profile!, Date.parse(envelope.receivedAt), anonymousDays))
        return countOlder(entry, envelope, seq, fill)
      return count(entry, envelope, seq, fill)
    },
    finish() {
      for (const { siteId, bounds, at, profile } of entries.values()) {
        for (const bound of bounds) at.set(bound, profile)
        at.set(fills.get(siteId)!.through, profile)
      }
      return [...entries.values()]
    },
    get high() {
      return high
    },
  }
}

/** Counts what a message adds to features of content. */
function addContents(
  entry: Entry,
  { siteId, receivedAt }: EventEnvelope,
  seq: number,
  contents: ContentAmounts[],
  isWantedOf: NonNullable<ShadowsDeps['isWanted']>,
): void {
  const { userId = '' } = entry.profile ?? {}
  entry.contents ??= createContentHistory()
  const added = { userId, receivedAt, contents }
  entry.contentBytes += entry.contents.add(added, version => isWantedOf(siteId, version, seq))
}
