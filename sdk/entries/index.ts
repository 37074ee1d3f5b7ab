import { begin, running } from '../client/calls.js'
import type { Options } from '../client/options.js'
import { inBrowser } from '../platform/in-browser.js'
import { lazyPlugin } from '../plugins/lazy-plugins.js'

export {
  addMiddleware,
  alias,
  consent,
  destroy,
  flush,
  group,
  hydrate,
  identify,
  page,
  refresh,
  reset,
  setProperties,
  track,
} from '../client/api.js'
export type { Consent, ConsentChoice, ConsentState } from '../client/consent.js'
// By a star: `declare module 'slotstream'` of a page adds to what is exported so, not to what is exported by name.
export type * from '../client/events.js'
export type { Options } from '../client/options.js'
export { personalize } from '../client/personalize.js'
export type * from '../client/slots.js'
export type {
  IdentifyOptions,
  Message,
  Middleware,
  Part,
  PersonalizeOptions,
  Properties,
  SlotDecision,
  SlotItem,
  SlotOutcome,
} from '../types.js'

/**
 * Starts the package on this page, in the next task or with the first call that follows. Calls made before run
 * then, with their own times. A second call does nothing until `destroy`. On a server it does nothing.
 */
export function init(options: Options): void {
  begin(options, lazyPlugin)
}

/**
 * Opens the inspector over the page: messages and what became of them, decisions and why, problems, and the visitor's
 * ids. It loads when it is first opened. For development; rejects when it can't be loaded.
 */
export async function debug(): Promise<void> {
  if (!inBrowser()) return
  const { inspector } = await import('../plugins/tools/inspector.js')
  inspector(running)
}
