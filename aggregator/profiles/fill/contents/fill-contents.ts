import { featuresAfter } from '@slotstream/core'
import {
  type ContentFill,
  contentFill,
  hash32,
  idsOfVisitor,
  isInFill,
  type LearningEnvelope,
  type Profile,
  streamSubject,
  visitorText,
} from '@slotstream/protocol'
import type { Installation, Log, Nats, Publisher } from '@slotstream/runtime'
import { forEachAtOnce } from '../../store/for-each-at-once.js'
import type { Shadow } from '../shadows.js'
import type { WantedFill } from '../wanted-fill.js'
import { beginFills, endFills, type FillBounds } from './content-fills.js'
import { readTold, toldKey } from './told-contents.js'

/** Envelopes that are published together: the next ones say that these are there. */
const WAVE = 64

/** Numbers that a visitor's envelopes of a fill may have, and those that tell apart visitors of one hash. */
const PARTS = 2 ** 8
const SAME_HASH = 2 ** 13

export interface FillContentsDeps {
  nats: Nats
  publisher: Pick<Publisher, 'publish'>
  installation: Pick<Installation, 'past' | 'streams' | 'buckets'>
  log: Log
  /** Resolves when everything up to a sequence is stored, and so all that came of it published. */
  storedThrough: (through: number) => Promise<void>
  /** Returns whether a visitor's actions do not count, because it seems to be a program. */
  isLeftOut: (profile: Profile) => boolean
  /** Throws where the fill is not to go on. */
  goOn: () => void
}

/** A fill of features of content in a partition. */
export interface ContentsFill {
  /** Returns whether a message counts for a feature: it is in its range, and was not published when it arrived. */
  isWanted(siteId: string, version: string, seq: number): boolean
  /** Publishes what some visitors add. Their hashes are above those of before. */
  publish(shadows: readonly Shadow[], profileOf: (shadow: Shadow) => Promise<Profile | undefined>): Promise<void>
  /** Notes that everything is published. */
  end(): Promise<void>
}

/** A feature that is filled. */
interface FilledFeature {
  siteId: string
  version: string
  fill: ContentFill
  /** Number up to which all envelopes are published. */
  stored: number
}

/**
 * Begins to fill the features of content among those that are wanted; undefined: there are none. What messages add is
 * told by envelopes of a fill in the stream of learning records, each visitor's by itself, so that readers add it as
 * they add what comes, and a deletion takes it away as it takes that.
 *
 * @throws Error where another generation of profiles has begun it with messages that this one has not applied yet
 */
export async function beginContents(
  partition: number,
  wantedFills: ReadonlyMap<string, WantedFill>,
  bounds: FillBounds,
  deps: FillContentsDeps,
): Promise<ContentsFill | undefined> {
  const { meta } = deps.installation.buckets
  const filled: FilledFeature[] = []
  const sites = versionsOf(wantedFills)
  if (sites.size === 0) return undefined
  await deps.storedThrough(bounds.through)
  for (const [siteId, versions] of sites)
    for (const [version, fill] of await beginFills(meta, { siteId, partition, versions }, bounds))
      filled.push({ siteId, version, fill, stored: 0 })
  const features = new Map(filled.map(feature => [toldKey(feature.siteId, feature.version), feature]))
  const fills = new Map([...features].map(([key, { fill }]) => [key, fill]))
  const toldSeqs = await readTold(deps, partition, fills)

  return {
    isWanted(siteId, version, seq) {
      const key = toldKey(siteId, version)
      const fill = features.get(key)?.fill
      return fill !== undefined && isInFill(fill, seq) && !toldSeqs.get(key)!.has(seq)
    },
    async publish(shadows, profileOf) {
      const ascending = [...shadows].filter(({ contents }) => contents).sort((a, b) => numberOf(a) - numberOf(b))
      for (const feature of filled) await publishFeature(partition, feature, ascending, profileOf, deps)
    },
    async end() {
      for (const siteId of new Set(filled.map(feature => feature.siteId))) {
        const ofSite = filled.filter(feature => feature.siteId === siteId)
        await endFills(meta, siteId, partition, new Map(ofSite.map(({ version, fill }) => [version, fill])))
      }
    },
  }
}

/** Returns the versions of features of content that are wanted, by site. */
function versionsOf(wantedFills: ReadonlyMap<string, WantedFill>): Map<string, string[]> {
  const sites = [...wantedFills].map(([siteId, { features, after }]): [string, string[]] => {
    // By name there may be former ones, which are served meanwhile.
    const { rules } = featuresAfter(features, after).ofContent
    return [siteId, [...new Set(rules.map(([, { feature }]) => feature.version))]]
  })
  return new Map(sites.filter(([, versions]) => versions.length > 0))
}

async function publishFeature(
  partition: number,
  feature: FilledFeature,
  ascending: readonly Shadow[],
  profileOf: (shadow: Shadow) => Promise<Profile | undefined>,
  { publisher, isLeftOut, goOn }: FillContentsDeps,
): Promise<void> {
  const { siteId, version, fill } = feature
  const batch = contentFill(version, fill.through)
  let wave: Omit<LearningEnvelope, 'stored'>[] = []

  async function send(): Promise<void> {
    goOn()
    const { stored } = feature
    await forEachAtOnce(WAVE, wave, async envelope => {
      const id = `learning:${partition}.${siteId}.${batch}.${envelope.seq}`
      await publisher.publish(streamSubject('learning', partition), JSON.stringify({ ...envelope, stored }), id)
    })
    feature.stored = wave.at(-1)?.seq ?? stored
    wave = []
  }

  for (const shadow of ascending) {
    const { visitorId } = shadow
    if (shadow.siteId !== siteId) continue
    const parts = shadow.contents!.partsOf(version).slice(0, PARTS)
    const profile = parts.length > 0 ? await profileOf(shadow) : undefined
    if (profile && isLeftOut(profile)) continue
    const ids = idsOfVisitor(visitorId)
    for (const [place, { userId, receivedAt, contents }] of parts.entries()) {
      const anonymousId = profile?.anonymousId || ids.anonymousId
      const named = { siteId, visitorId, anonymousId, userId: userId || ids.userId, receivedAt }
      wave.push({ ...named, seq: numberOf(shadow) + place, batch, records: [], contents })
    }
    if (wave.length >= WAVE) await send()
  }
  await send()
}

/**
 * Returns the number of a visitor's first envelope: it rises with the hash, and is the same whenever it is done again.
 */
function numberOf({ siteId, visitorId, hash }: Shadow): number {
  const apart = hash32(`v${visitorText(siteId, visitorId)}`) % SAME_HASH
  return (hash * SAME_HASH + apart) * PARTS
}
