import { createIds } from '../platform/ids.js'
import type { Properties, SlotDecision } from '../types.js'
import { isFetchedAhead, type RequestHeaders, signalsOf } from './headers.js'
import { readAnswer, undecided } from './read-answer.js'
import { consentOf, type KnownConsent, type ServerVisitor, type VisitorSettings, visitorOf } from './visitor.js'

/** Deadline of a request where no option says otherwise, in milliseconds. */
const TIMEOUT_MS = 300

/** Shortest time between two lines on the console that say the same, in milliseconds. */
const QUIET_MS = 60_000

/** Options of `createServerClient`. */
export interface ServerOptions extends VisitorSettings {
  /** Origin of the collector, e.g. `https://collector.example`, or one that only servers reach. */
  endpoint: string
  /** Write key of the site. This or `secretKey`. */
  writeKey?: string
  /**
   * Secret key of the site, for signed-in persons without a signature, and for its limits. It must not reach a page.
   */
  secretKey?: string
  /** Deadline of `decide`, in milliseconds. Default 300. */
  timeout?: number
  /** Called with what went wrong. Default: a line on the console, the same at most once a minute. */
  onError?: (error: Error) => void
  /** The function that requests. Default: `fetch` of the runtime. */
  fetch?: typeof fetch
}

/** A slot to decide for: its id, or with the number of items. */
export type WantedSlot = string | { id: string; count?: number }

/** For whom, and in which situation, slots are decided. */
export interface DecideOptions {
  /** Headers of the browser's request: its cookie and its privacy signals are read. */
  headers?: RequestHeaders
  /** Id of the browser. Default: that of the cookie, or a new one. */
  anonymousId?: string
  /** Id of the person who is signed in. */
  userId?: string | undefined
  /** Proof of the `userId`, for sites with an `identitySecret`, where no secret key is used; see `identify`. */
  signature?: string | undefined
  /** Facts of the situation: the request's `context`, e.g. `{ page: { path: '/' } }`. At most 32 KB. */
  context?: Properties
  /** Consent of the visitor. Without consent to personalization nothing is requested. Default `granted`. */
  consent?: KnownConsent
  /** Deadline in milliseconds. Default: that of the client. */
  timeout?: number
  /** Ends the waiting, as where the browser has gone. Default: nothing does. */
  signal?: AbortSignal
}

/** Decisions for a page. */
export interface ServerDecisions extends ServerVisitor {
  /** One for each slot, in order. In all outcomes but `served` the page's own content stays. */
  decisions: SlotDecision[]
}

/** Asks for decisions on a server. */
export interface ServerClient {
  /** Returns the visitor of a request, for code that sets the cookie before a page is rendered. */
  visitorOf(headers: RequestHeaders, consent?: KnownConsent): ServerVisitor
  /**
   * Decides slots. Never rejects: without an answer by the deadline the outcome is `timeout`, without one at all
   * `unavailable`, as for a page that is fetched ahead, about which nothing is asked. `setCookie` is there where the
   * visitor is new and a decision was recorded for them.
   */
  decide(slots: readonly WantedSlot[], options?: DecideOptions): Promise<ServerDecisions>
}

/**
 * Creates a client of the collector for a server that renders pages: Node, or a runtime with `fetch`. Make one, and use
 * it for all requests.
 *
 * @throws TypeError when the options name no endpoint, or not exactly one key
 */
export function createServerClient(options: ServerOptions): ServerClient {
  const {
    endpoint,
    writeKey,
    secretKey,
    timeout: usualTimeout = TIMEOUT_MS,
    onError = createWarner(Date.now),
  } = options
  const key = writeKey || secretKey
  if (!key || (writeKey && secretKey))
    throw new TypeError('createServerClient needs a writeKey or a secretKey, and one only')
  const url = new URL(`${endpoint.replace(/\/+$/, '')}/v1/slots`).href
  const newId = createIds(Date.now)

  const post = async (body: string, headers: RequestHeaders | undefined, abort: AbortSignal): Promise<unknown> => {
    const request = options.fetch ?? fetch
    const response = await request(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', authorization: `Basic ${btoa(`${key}:`)}`, ...signalsOf(headers) },
      signal: abort,
    })
    if (response.status === 200) return response.json()
    throw new Error(`the collector answered ${response.status}: ${(await response.text()).slice(0, 300)}`)
  }

  return {
    visitorOf: (headers, consent = 'granted') =>
      visitorOf(headers, consentOf(headers, consent, options), options, newId),

    async decide(slots, { headers, consent = 'granted', timeout = usualTimeout, signal, context, ...who } = {}) {
      const requested = slots.map(slot => (typeof slot === 'string' ? { id: slot } : slot))
      const slotIds = requested.map(({ id }) => id)
      const agreed = consentOf(headers, consent, options)
      const { anonymousId, setCookie } = who.anonymousId
        ? { anonymousId: who.anonymousId }
        : visitorOf(headers, agreed, options, newId)
      const { userId, signature } = who
      if (agreed.personalization !== 'granted' || isFetchedAhead(headers) || !slots.length)
        return { anonymousId, decisions: undecided(slotIds, 'unavailable') }
      const deadline = AbortSignal.timeout(timeout)
      try {
        const body = JSON.stringify({ anonymousId, userId, signature, slots: requested, context })
        const answer = await post(body, headers, signal ? AbortSignal.any([signal, deadline]) : deadline)
        const decisions = readAnswer(answer, slotIds)
        const isKnown = decisions.some(({ decisionId }) => decisionId)
        return { anonymousId, decisions, ...(isKnown && setCookie && { setCookie }) }
      } catch (error) {
        if (signal?.aborted) return { anonymousId, decisions: undecided(slotIds, 'aborted') }
        report(onError, error, deadline.aborted ? `no decisions within ${timeout} ms` : 'no decisions')
        return { anonymousId, decisions: undecided(slotIds, deadline.aborted ? 'timeout' : 'unavailable') }
      }
    },
  }
}

/** Hands an error on. One that the page's own function throws must not become the page's. */
function report(onError: (error: Error) => void, cause: unknown, what: string): void {
  try {
    onError(new Error(`[slotstream] ${what}: ${cause instanceof Error ? cause.message : cause}`, { cause }))
  } catch (error) {
    console.error(error)
  }
}

/** Creates a function that writes errors to the console, but not the same again and again while a collector is away. */
function createWarner(now: () => number): (error: Error) => void {
  let last = { message: '', at: 0 }
  return ({ message }) => {
    if (message === last.message && now() < last.at + QUIET_MS) return
    last = { message, at: now() }
    console.error(message)
  }
}
