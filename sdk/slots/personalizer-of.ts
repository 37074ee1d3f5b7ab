import type { PluginApi } from '../client/plugin-api.js'
import type { Personalize } from '../types.js'
import { noDecision } from './no-decision.js'
import { createPersonalize } from './personalize.js'

/** A page's one function that asks for content: made when it is first wanted, and only carried by pages that ask. */
export function personalizerOf(client: PluginApi): Personalize {
  client.personalizer ??= create(client)
  return client.personalizer
}

function create(client: PluginApi): Personalize {
  const { consent, delivery, handedOver, sessions, track, visitorIds } = client
  const ask = createPersonalize({
    ...delivery,
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
  return (slotId, options) =>
    consent().personalization === 'granted'
      ? ask(slotId, options)
      : Promise.resolve(noDecision(slotId, 'unavailable', options?.fallback))
}
