import type { Client } from '../client.js'
import { emit } from '../platform/emit.js'
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
  const { consent, delivery, identity, listeners, log, sessions, settings, track } = client
  const ask = createPersonalize({
    ...delivery,
    settings,
    log,
    listeners,
    track,
    emit,
    now: Date.now,
    paused: () => consent().analytics !== 'granted',
    visitor: () => ({
      anonymousId: identity.anonymousId(),
      userId: identity.userId(),
      context: {
        sessionId: sessions.touch(Date.now()),
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
