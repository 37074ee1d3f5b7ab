import type { PluginApi } from '../client/plugin-api.js'
import type { Personalize, SlotOutcome } from '../types.js'
import { noDecision } from './no-decision.js'
import { createPersonalize } from './personalize.js'

/**
 * After this a request counts as unanswered, in milliseconds, so that the next one is made: longer than any deadline.
 */
const TIMEOUT_MS = 30_000

/**
 * Returns the page's one function that asks for content: made with its first use, and only carried by pages that ask.
 */
export function personalizerOf(client: PluginApi): Personalize {
  client.personalizer ??= createPersonalizer(client)
  return client.personalizer
}

/** Creates a function that asks for content. */
export function createPersonalizer(client: PluginApi): Personalize {
  const { consent, delivery, handedOver, person, sessions, settle, track, visitorIds } = client
  const { endpoint, writeKey } = delivery.settings
  const ask = createPersonalize({
    ...delivery,
    // As text: a request to another origin then costs no preflight.
    post: body =>
      fetch(`${endpoint}/v1/slots?writeKey=${encodeURIComponent(writeKey)}`, {
        method: 'POST',
        body,
        credentials: delivery.credentials,
        // Missing in some browsers.
        signal: AbortSignal.timeout?.(TIMEOUT_MS),
      }),
    handedOver,
    track,
    visitor: () => ({
      ...visitorIds.all(),
      context: {
        sessionId: sessions.touch(delivery.now()),
        pageViewId: client.view().pageViewId,
        page: { url: location.href, path: location.pathname },
      },
    }),
  })
  const agrees = () => consent().personalization === 'granted'
  return async (slotId, options, left) => {
    const none = (outcome: SlotOutcome) => noDecision(slotId, outcome, options?.fallback)
    if (!agrees()) return none('unavailable')
    // What the visitor looks at counts, too.
    settle()
    const asker = person()
    const decision = await ask(slotId, options, left)
    // What was decided for one person isn't shown to the next.
    return agrees() && asker === person() ? decision : none('aborted')
  }
}
