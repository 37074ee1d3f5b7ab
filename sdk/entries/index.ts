import { begin, inBrowser, running } from '../client/calls.js'
import type { Options } from '../client/options.js'
import { lazyPart } from '../plugins/lazy-parts.js'

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
  reset,
  setProperties,
  track,
} from '../client/api.js'
export type { Consent, ConsentState } from '../client/consent.js'
export type { Options } from '../client/options.js'
export { personalize } from '../client/personalize.js'
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
 * The tracking plan: empty, so that `track` takes any name. Declare yours to narrow it:
 * `declare module 'slotstream' { interface Events { 'Product Viewed': { product_id: string } } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: pages add to it
export interface Events {}

/**
 * Starts the package on this page, in the next task or with the first call that follows. Calls made before are carried out
 * then, with their own times. A second call does nothing until `destroy`. On a server it does nothing.
 */
export function init(options: Options): void {
  begin(options, lazyPart)
}

/**
 * Opens the inspector over the page: messages and what became of them, decisions and why, problems, and who the visitor is.
 * It loads when it is first opened. For development; rejects when it can't be loaded.
 */
export async function debug(): Promise<void> {
  if (!inBrowser()) return
  const { inspector } = await import('../plugins/tools/inspector.js')
  inspector(running)
}
