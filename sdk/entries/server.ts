/**
 * Decisions on a server: for Node, and for runtimes with `fetch`. What browsers run is `slotstream`; this entry is for
 * servers only, where a secret key is safe.
 */
export { decisionsScript } from '../server/decisions-script.js'
export type { RequestHeaders } from '../server/headers.js'
export {
  createServerClient,
  type DecideOptions,
  type ServerClient,
  type ServerDecisions,
  type ServerOptions,
  type WantedSlot,
} from '../server/server-client.js'
export type { IdCookieOptions, KnownConsent, ServerVisitor, VisitorSettings } from '../server/visitor.js'
export type { SlotDecision, SlotItem, SlotOutcome } from '../types.js'
