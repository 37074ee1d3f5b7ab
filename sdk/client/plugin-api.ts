import type { Identity } from '../capture/identity.js'
import type { Sessions } from '../capture/sessions.js'
import type { View } from '../capture/view.js'
import type { Delivery } from '../delivery/delivery.js'
import type { Log } from '../platform/guard.js'
import type { Listeners } from '../platform/listeners.js'
import type { Personalize, Properties, SlotDecision } from '../types.js'
import type { Consent } from './consent.js'
import type { Settings } from './options.js'

/**
 * The API that plugins (page views, vitals, slots …) work with. What only one of them does is in its own module rather
 * than here, so that a page without it doesn't carry it.
 */
export interface PluginApi {
  settings: Settings
  log: Log
  listeners: Listeners
  /** The latest events for debuggers, in no particular order. */
  recent: CustomEvent[]
  /**
   * Captures an event.
   *
   * @param at when it happened, in milliseconds since the epoch, default now
   * @param view page view that it belongs to, default the current one
   */
  track(event: string, properties?: Properties, at?: number, view?: View): void
  /**
   * Begins a page view.
   *
   * @param wait runs a function, which captures the message, later; returns a function that runs it at once
   */
  page(name?: string, properties?: Properties, at?: number, wait?: (run: () => void) => () => void): void
  /** Captures a page view that waits, before anything that it counts for. */
  settle(): void
  /** Runs a function right before another page view begins; what that captures belongs to the one before. */
  beforePage(run: () => void): void
  /** Returns the current page view. */
  view(): View
  /** Finds elements with an attribute, also those that are added later; see `watchAdded`. */
  find(attribute: string, onFound: (element: HTMLElement) => void): void
  visitorIds: Identity
  sessions: Sessions
  delivery: Delivery
  consent(): Consent
  /** Returns the running number of the page's person: another one after `reset`, or `identify` of another user. */
  person(): number
  /** Asks for content; see `personalizerOf`. */
  personalizer?: Personalize | undefined
  /** Decisions that came with the page, by slot. */
  handedOver: Map<string, SlotDecision>
}
