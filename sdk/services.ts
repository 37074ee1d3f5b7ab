import type { Delivery } from './delivery/delivery.js'
import type { Settings } from './options.js'
import type { Emit } from './platform/emit.js'
import type { Log } from './platform/guard.js'
import type { Listeners } from './platform/listeners.js'
import type { PersonalizeOptions, Properties, SlotDecision } from './types.js'

/** Asks for the content of a slot. Never rejects. */
export type Personalize = (slotId: string, options?: PersonalizeOptions) => Promise<SlotDecision>

/** What asking for content works with. */
export interface Services extends Delivery {
  settings: Settings
  emit: Emit
  log: Log
  now: () => number
  listeners: Listeners
  track: (event: string, properties: Properties) => void
  visitor: () => { anonymousId: string; userId: string | undefined; context: { pageViewId: string; sessionId: string } }
}
