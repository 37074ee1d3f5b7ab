import type { Client } from '../client/client.js'
import type { PersonalizeOptions, SlotDecision } from '../types.js'
import { noDecision } from './no-decision.js'
import { createPersonalize } from './personalize.js'

/** Asks for the content of a slot. Never rejects. */
export type Personalize = (slotId: string, options?: PersonalizeOptions) => Promise<SlotDecision>

/** A page's one function that asks for content: made when it is first wanted, and only carried by pages that ask. */
export function personalizerOf(client: Client): Personalize {
  client.personalizer ??= create(client)
  return client.personalizer
}

function create(client: Client): Personalize {
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
