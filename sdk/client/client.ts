import { createContexts, pageOf } from '../capture/context.js'
import { createFloodLimit } from '../capture/flood.js'
import { cookieId, createIdentity, dropCookie } from '../capture/identity.js'
import { ofDocument } from '../capture/of-document.js'
import { createSessions } from '../capture/sessions.js'
import { nextView, type View } from '../capture/view.js'
import { createDelivery } from '../delivery/delivery.js'
import { bytesOf } from '../platform/bytes.js'
import { emit, recent } from '../platform/emit.js'
import { guard, type Log } from '../platform/guard.js'
import { createIds } from '../platform/ids.js'
import { jsonOf } from '../platform/json.js'
import { createListeners } from '../platform/listeners.js'
import { createStorage } from '../platform/storage.js'
import { watchAdded } from '../platform/watch-added.js'
import type { Load } from '../plugins/loadable.js'
import { handedOver } from '../slots/handed-over.js'
import type { Message, Properties } from '../types.js'
import type { Consent } from './consent.js'
import { rewriting } from './middleware.js'
import type { Settings } from './options.js'
import type { PluginApi } from './plugin-api.js'

/** Fields of one message beside those that every message has. */
export type Call = Partial<Pick<Message, 'event' | 'name' | 'userId' | 'previousId' | 'groupId'>> & {
  type: Message['type']
  /** When it happened, in milliseconds since the epoch. */
  at: number
  properties?: Properties
  traits?: Properties
  /** Page view that it belongs to; default the current one. */
  of?: View | undefined
}

/** The package on one page, for the public functions and for `start`, which wires it to the page. */
export interface Client extends PluginApi {
  /** Runs a function; an error it throws goes to the log and `onError`. */
  try(run: () => void): void
  capture(call: Call): void
  /** Begins another page view, without tracking it. */
  startPageView(): void
  /** Properties of every message, before `setProperties` changed them. */
  initialProperties: Properties
  /** Begins to store and send, as far as the visitor agrees; to be called again when they did. */
  start(): void
  /** Begins to send at the end of the page. After the plugins, so that what they track then is included. */
  watchEnd(): void
  /** Ends the package: sends what is left, or erases that and the visitor's ids. */
  destroy(erase: boolean): void
}

/** Largest message, in bytes, as the collector allows (`MAX_MESSAGE_BYTES`), with room for its number. */
export const MAX_MESSAGE_BYTES = 32 * 1024 - 32

/** Bytes between a message and its context. */
const CONTEXT_OVERHEAD = ',"context":'.length

/**
 * Puts the browser package together for one page. Longer than 70 lines: capturing is the hot path, and its functions
 * share the page view, the context and its measure.
 *
 * @param linked id of the visitor that a link has carried
 */
export function createClient(settings: Settings, consent: () => Consent, load: Load, linked?: string): Client {
  const now = Date.now
  const log: Log = (...details) => {
    emit('error', details)
    for (const detail of details)
      if (detail instanceof Error)
        guard(
          () => {},
          () => settings.onError?.(detail),
        )
  }
  const paused = () => consent().analytics !== 'granted'
  const storage = createStorage(() => localStorage, 'slotstream.', false)
  const persist = () => storage.persist(!paused() && !settings.cookieless)
  const newId = createIds(now)
  const listeners = createListeners(log)
  const visitorIds = createIdentity(storage, newId, () =>
    settings.idCookie && !paused() ? cookieId(document.cookie) : undefined,
  )
  const sessions = createSessions(storage, settings, newId)
  const delivery = createDelivery({ settings, newId, now, emit, log, listeners, storage, paused, load })
  const { outbox } = delivery
  const mayPass = createFloodLimit(settings.floodLimit, now)
  const hashed = settings.autoPage === 'hash'
  const contextOf = createContexts(hashed)
  const enders: (() => void)[] = []
  let ends = createListeners(log)
  let begun = false
  let viewed = false
  let settle = () => {}
  let person = 0
  let latest: string | undefined

  // Another tab may have forgotten the visitor.
  listeners.on(window, 'storage', () => {
    visitorIds.reread()
    sessions.reread()
    if (latest) visitor()
  })
  persist()
  if (linked) visitorIds.adopt(linked)
  let view: View = nextView(undefined, location.href, ofDocument('referrer'), newId)

  /** Returns the visitor's ids; emits `visitor` when they are another person's. */
  const visitor = () => {
    const ids = visitorIds.all()
    const before = latest ?? ids.anonymousId
    latest = ids.anonymousId
    // A visitor who logs in is the same person; another user gets another id.
    if (before !== latest) {
      person++
      emit('visitor', ids)
    }
    return ids
  }
  const startPageView = () => {
    if (latest) visitor()
    view = nextView(view, location.href, '', newId)
  }
  const capture = ({ type, at, properties, traits, of: eventView = view, ...fields }: Call) => {
    if (consent().analytics === 'denied') return
    // A page view comes before what follows it.
    settle()
    if (!mayPass()) return outbox.drop('flood')
    const messageId = newId()
    const { signature, ...ids } = visitor()
    const head: Omit<Message, 'context'> = {
      messageId,
      type,
      ...ids,
      ...fields,
      timestamp: new Date(at).toISOString(),
      properties: properties && { ...settings.properties, ...properties },
      traits,
    }
    let {
      context,
      text: contextText,
      bytes: contextBytes,
    } = contextOf(eventView, sessions.touch(at), head.userId === ids.userId ? signature : undefined)
    let headText: string
    try {
      if (rewriting.rewrite) {
        const rewritten = rewriting.rewrite(head, contextText, log)
        if (!rewritten) return outbox.drop('middleware')
        // Never empty, which the outbox relies on.
        context = { ...rewritten, library: context.library }
        contextText = jsonOf(context)
        contextBytes = bytesOf(contextText)
      }
      headText = jsonOf(head)
    } catch (error) {
      log('not_serializable', head, error)
      return outbox.drop('not_serializable')
    }
    const bytes = bytesOf(headText) + contextBytes + CONTEXT_OVERHEAD
    if (bytes > MAX_MESSAGE_BYTES) {
      log('too_large', head)
      return outbox.drop('too_large')
    }
    // The context last: the outbox adds the message's number at its end.
    const text = `${headText.slice(0, -1)},"context":${contextText}}`
    outbox.add({ messageId, visitor: head.anonymousId, text, bytes, at })
    emit('captured', Object.assign(head, { context }))
  }

  /** Sends what the page has, with a page view that waits for its title. */
  const hide = () => {
    settle()
    delivery.hide()
  }
  const track: Client['track'] = (event, properties, at = now(), eventView) =>
    capture({ type: 'track', event, properties: properties ?? {}, at, of: eventView })

  return {
    settings,
    log,
    listeners,
    recent,
    try: run => void guard(log, run),
    capture,
    view: () => view,
    startPageView,
    visitorIds,
    sessions,
    delivery,
    initialProperties: settings.properties,
    handedOver,
    consent,
    find: (attribute, onFound) => watchAdded(attribute, listeners.signal, onFound),
    person: () => person,
    track,
    beforePage: run => void enders.push(run),
    settle: () => settle(),
    page(name, properties, at = now(), wait) {
      // Messages before the first `page` belong to the same view.
      if (viewed) {
        view.title = ofDocument('title')
        settle()
        for (const run of enders) guard(log, run)
        startPageView()
      }
      viewed = true
      const pageView = view
      const send = () =>
        capture({
          type: 'page',
          ...(name && { name }),
          properties: { ...pageOf(pageView, hashed), ...properties },
          at,
          of: pageView,
        })
      if (wait) settle = wait(send)
      else send()
    },
    start() {
      persist()
      if (paused() || begun) return
      begun = true
      delivery.start()
    },
    watchEnd() {
      ends.off()
      ends = createListeners(log)
      const { on } = ends
      on(window, 'pagehide', hide)
      // On `window`, where the event arrives after everything that listens on `document`.
      on(window, 'visibilitychange', () => {
        if (document.visibilityState === 'hidden') hide()
        else delivery.sender?.onWritten(0)
      })
      // The page may be thrown away without another word.
      on(document, 'freeze', hide)
      // Only a hint: being offline is found out by trying.
      on(window, 'online', () => delivery.sender?.online())
    },
    destroy(erase) {
      guard(log, settle)
      listeners.off()
      ends.off()
      if (erase) {
        delivery.erase()
        storage.clear()
        storage.persist(false)
        if (settings.idCookie) dropCookie()
      } else {
        delivery.hide()
        delivery.close()
      }
    },
  }
}
