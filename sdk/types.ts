/** Properties of an event or traits of a person: anything that `JSON.stringify` can write, nested up to 16 levels. */
export type Properties = Record<string, unknown>

/** Value of a feature. Of one by key: a value for each key. */
export type FeatureValue = string | number | boolean | null | FeatureValue[] | { [key: string]: FeatureValue }

/** Values of features by name. */
export type FeatureValues = Record<string, FeatureValue>

/** A message, as Segment's spec has it. */
export interface Message {
  messageId: string
  type: 'track' | 'page' | 'screen' | 'identify' | 'group' | 'alias'
  /** Name of the event, of a `track`. */
  event?: string | undefined
  /** Name of the page. */
  name?: string
  anonymousId: string
  userId?: string | undefined
  previousId?: string
  groupId?: string
  /** When it happened, ISO 8601. */
  timestamp: string
  properties?: Properties | undefined
  traits?: Properties | undefined
  /** Circumstances: page, campaign, session … */
  context: Record<string, unknown>
}

/** Options of `identify`. */
export interface IdentifyOptions {
  /**
   * Proof that this browser may speak for the person: HMAC-SHA256 of the `userId` with the site's `identitySecret`, in
   * lower-case hex. Compute it on your server, and only for the person that is logged in. Default none.
   */
  signature?: string | undefined
}

/** Changes a message in place or returns another; `null` drops it, which is counted as `middleware`. */
export type Middleware = (message: Message) => Message | null | undefined

/**
 * A plugin that captures or shows something on a page, from `slotstream/parts`. It starts with the package and returns
 * a function that stops it.
 */
export type Part = (client: never, load: never) => () => void

/**
 * Outcome of a slot request. `served`: `items` has what to show. In all other cases `items` is empty, or the option
 * `fallback`, and the page's own content stays: `holdout` (the visitor belongs to the slot's holdout), `empty` (no
 * content was eligible), `unknown_slot` (the site has no such slot), `timeout` (no answer within the deadline), `stale`
 * (what is known of the visitor is older than the slot takes), `unavailable` (the collector could not be reached or
 * could not answer, or the visitor hasn't agreed), `aborted` (by the option `signal`).
 */
export type SlotOutcome =
  | 'served'
  | 'holdout'
  | 'empty'
  | 'unknown_slot'
  | 'timeout'
  | 'stale'
  | 'unavailable'
  | 'aborted'

/** One content chosen for a slot. */
export interface SlotItem<Payload = Record<string, unknown>> {
  /** Of the catalog; '' for the page's own fallback. */
  contentId: string
  /** Place in the slot, from 1. */
  position: number
  /** Content to render: text and attribute values by name. Treat it as text, never as HTML. */
  payload: Payload
}

/** Result of `personalize`. */
export interface SlotDecision<Payload = Record<string, unknown>> {
  slotId: string
  /**
   * Names the stored record of this choice; '' when there is none (`timeout`, `unavailable`, `aborted`, `cachedAt`).
   */
  decisionId: string
  outcome: SlotOutcome
  items: SlotItem<Payload>[]
  /**
   * When the answer came, in milliseconds since the epoch, of the last decision, which is shown once more because the
   * collector can't be reached. It has no `decisionId`: what is seen and clicked of it isn't tracked. Absent: it is an
   * answer.
   */
  cachedAt?: number
  /** True for what a preview link shows: it is recorded nowhere, and what is seen and clicked of it isn't tracked. */
  preview?: true
  /** Age of each feature that the policy chose by, in milliseconds; 0: nothing is missing. Absent: it asks for none. */
  ages?: Record<string, number>
  /** Why it came out so: only with the option `debug`, and only from sites whose `debug` is on. */
  reason?: Record<string, unknown>
}

/** Options of one `personalize` call. */
export interface PersonalizeOptions<Payload = Properties> {
  /** Number of items to ask for, 1–50. Default: the slot's own count, usually 1. */
  count?: number | undefined
  /** Milliseconds after which the promise resolves with the outcome `timeout`. Default: the option `slotTimeout`. */
  timeout?: number
  /** Payloads that become `items` in all cases but `served`. Default none. */
  fallback?: Payload[]
  /** Facts the page knows of the situation: the request's `context`, at most 32 KB. Default none. */
  context?: Properties
  /**
   * Ends the waiting with the outcome `aborted`. The request itself goes on, because it carries messages. Default:
   * nothing does.
   */
  signal?: AbortSignal
}

/**
 * Asks for the content of a slot. Never rejects.
 *
 * @param left called when the request has left, or the answer is at hand: the deadline runs from then
 */
export type Personalize = (slotId: string, options?: PersonalizeOptions, left?: () => void) => Promise<SlotDecision>
