import { visitorIdOf } from '@slotstream/protocol'
import type { Metrics, Publisher } from '@slotstream/runtime'
import type { ForwardEnvelope } from '../apply/apply-step.js'
import { createPassOn } from '../publish-to-visitor.js'

/**
 * Tells the partitions of a user's browsers of messages that name the user alone, by the stream of events: the browsers
 * keep the decisions that these may reward.
 *
 * @throws when the stream may not have it: call it again
 */
export type PublishForward = (envelope: ForwardEnvelope) => Promise<void>

/** Creates the function that forwards messages. Forwarding them twice is harmless: a decision counts a message once. */
export function createPublishForward(
  publisher: Pick<Publisher, 'publish'>,
  partitions: number,
  metrics: Metrics,
): PublishForward {
  const counted = metrics.counter(
    'profiles_rewards_forwarded_total',
    'Messages of users that were forwarded to a browser, because they may be rewards',
  )
  const passOn = createPassOn(publisher, partitions, 'reward', messages => counted.inc({}, messages))

  return ({ browsers, ...envelope }) => {
    const visitors = browsers.map(anonymousId => visitorIdOf({ anonymousId }))
    return passOn(envelope, visitors, forwarded => ({ forwarded }))
  }
}
