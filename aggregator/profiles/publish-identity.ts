import { visitorIdOf } from '@slotstream/protocol'
import type { Metrics, Publisher } from '@slotstream/runtime'
import type { IdentityEnvelope } from './apply/apply-step.js'
import { publishToVisitor } from './publish-to-visitor.js'

/**
 * Tells the partitions of users which browsers named them, by the stream of events, and of an alias also that of the
 * browser. Tells those of browsers what the guards of users say.
 *
 * @throws when the stream may not have it: call it again
 */
export type PublishIdentity = (envelope: IdentityEnvelope) => Promise<void>

/** Creates the function that tells of users. Telling it twice is harmless: the later one changes nothing. */
export function createPublishIdentity(
  publisher: Pick<Publisher, 'publish'>,
  partitions: number,
  metrics: Metrics,
): PublishIdentity {
  const counted = metrics.counter('profiles_links_total', 'Browsers and users that were found together')

  return async ({ siteId, visitorId, receivedAt, changes }) => {
    for (const change of changes) {
      const { anonymousId, userId, link, verdict } = change
      const sides = [visitorIdOf({ userId }), visitorIdOf({ anonymousId })].filter(side => side !== visitorId)
      let isNew = false
      for (const side of sides) {
        const notice = { siteId, visitorId: side, receivedAt, identity: [change] }
        const place = verdict ? ['verdict', String(verdict.seq)] : [String(link?.firstAt)]
        const cause = [side, anonymousId, userId, ...place]
        if (!(await publishToVisitor(publisher, partitions, notice, 'link', cause)).duplicate) isNew = true
      }
      if (isNew && !verdict) counted.inc()
    }
  }
}
