import { isoTime, joined, type Profile, type SegmentNews, visitorIdOf } from '@slotstream/protocol'
import type { Publisher } from '@slotstream/runtime'
import type { NewsEnvelope } from '../apply/apply-step.js'
import { publishToVisitor } from '../publish-to-visitor.js'

/**
 * Tells the partition of a user that one of the user's browsers has something new, by the stream of events.
 *
 * @throws when the stream may not have it: call it again
 */
export type PublishNews = (envelope: NewsEnvelope) => Promise<void>

/** Creates the function that tells of browsers. Telling it twice is harmless: the person is looked at once more. */
export function createPublishNews(publisher: Pick<Publisher, 'publish'>, partitions: number): PublishNews {
  return async ({ siteId, receivedAt, seq, news: { userId, news } }) => {
    const notice = { siteId, visitorId: visitorIdOf({ userId }), receivedAt, segments: news }
    await publishToVisitor(publisher, partitions, notice, 'segments', [news.anonymousId, userId, String(seq)])
  }
}

/**
 * Tells the stream which segments a person entered and left, so that every replay changes them at the same place.
 *
 * @throws when the stream may not have it
 */
export type TellSegments = (
  profile: Profile,
  changed: Required<Pick<SegmentNews, 'at' | 'entered' | 'left'>>,
) => Promise<void>

/** Creates the function that tells of segments. What is told twice changes nothing the second time. */
export function createTellSegments(publisher: Pick<Publisher, 'publish'>, partitions: number): TellSegments {
  return async ({ siteId, visitorId, anonymousId, userId }, changed) => {
    const news: SegmentNews = { anonymousId, userId, ...changed }
    const notice = { siteId, visitorId, receivedAt: isoTime(changed.at), segments: news }
    await publishToVisitor(publisher, partitions, notice, 'segments', [visitorId, String(changed.at)])
  }
}

/**
 * Returns which news have to be told: of those that say no more than that a browser has something new the latest is
 * enough.
 */
export function latestNews(all: readonly NewsEnvelope[]): (envelope: NewsEnvelope) => boolean {
  const latest = new Map<string, NewsEnvelope>()
  const keyOf = ({ siteId, news }: NewsEnvelope) => joined([siteId, news.userId, news.news.anonymousId])
  for (const envelope of all) latest.set(keyOf(envelope), envelope)
  return envelope => envelope.news.news.carried !== undefined || latest.get(keyOf(envelope)) === envelope
}
