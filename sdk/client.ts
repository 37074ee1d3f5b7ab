import type { Message, MessageType } from '@slotstream/protocol'
import { createContexts, pageOf } from './capture/context.js'
import { createIdentity } from './capture/identity.js'
import { createSessions } from './capture/sessions.js'
import { nextView, type View } from './capture/view.js'
import { createDelivery } from './delivery/delivery.js'
import type { Settings } from './options.js'
import { bytesOf } from './platform/bytes.js'
import { type Emit, emit } from './platform/emit.js'
import { guard, type Log } from './platform/guard.js'
import { createIds } from './platform/ids.js'
import { createListeners, type Listeners } from './platform/listeners.js'
import { createStorage } from './platform/storage.js'
import { createPersonalize } from './slots/personalize.js'
import type { PersonalizeOptions, Properties, SlotDecision } from './types.js'

/** Fields of one message beside those that every message has. */
export type Call = Partial<Pick<Message, 'event' | 'name' | 'userId' | 'previousId' | 'groupId'>> & {
  type: MessageType
  /** When it happened, in milliseconds since the epoch. */
  at: number
  properties?: Properties
  traits?: Properties
}

/** What the public functions and the parts (page views, vitals, slots …) work with. */
export interface Client {
  settings: Settings
  log: Log
  listeners: Listeners
  capture(call: Call): void
  track(event: string, properties?: Properties, at?: number): void
  /** Begins a page view. */
  page(name?: string, properties?: Properties, at?: number): void
  /** Runs something right before a page view begins. */
  beforePage(run: () => void): void
  identify(userId: string, traits?: Properties, at?: number): void
  alias(userId: string, at?: number): void
  reset(): void
  personalize(slotId: string, options?: PersonalizeOptions): Promise<SlotDecision>
  flush(): Promise<void>
  /** Begins to send at the end of the page. After the parts, so that what they track then is part of it. */
  watchEnd(): void
  destroy(): void
}

/** Largest message, in bytes, as the collector allows (`MAX_MESSAGE_BYTES`), with room for its number. */
export const MAX_MESSAGE_BYTES = 32 * 1024 - 32

/** Puts the browser package together for one page. */
export function createClient(settings: Settings): Client {
  const now = Date.now
  const log: Log = (...parts) => settings.debug && console.debug('[slotstream]', ...parts)
  const tell: Emit = (name, detail) => {
    log(name, detail)
    emit(name, detail)
  }
  const storage = createStorage(() => localStorage, 'slotstream.')
  const newId = createIds(now)
  const listeners = createListeners(log)
  const identity = createIdentity(storage, newId)
  const sessions = createSessions(storage, settings, newId)
  const delivery = createDelivery({ settings, newId, now, emit: tell, log, storage })
  const { queue, sender } = delivery
  const contextOf = createContexts()
  const enders: (() => void)[] = []
  let viewed = false
  let view: View = nextView(undefined, location.href, document.referrer, newId)

  const capture = ({ type, at, properties, traits, ...fields }: Call) => {
    const messageId = newId()
    const anonymousId = identity.anonymousId()
    const userId = fields.userId ?? identity.userId()
    const head = {
      messageId,
      type,
      ...fields,
      anonymousId,
      ...(userId && { userId }),
      timestamp: new Date(at).toISOString(),
      ...(properties && { properties }),
      ...(traits && { traits }),
    }
    const { context, text: contextText } = contextOf(view, sessions.touch(at))
    let text: string
    try {
      // The context last: the queue adds the message's number at its end.
      text = `${JSON.stringify(head).slice(0, -1)},"context":${contextText}}`
    } catch (error) {
      log('dropped: not JSON', head, error)
      return queue.drop('not_serializable')
    }
    const bytes = bytesOf(text)
    if (bytes > MAX_MESSAGE_BYTES) {
      log(`dropped: ${bytes} bytes`, head)
      return queue.drop('too_large')
    }
    queue.add({ messageId, visitor: anonymousId, text, bytes, at })
    tell('captured', { ...head, context })
  }

  const personalize = createPersonalize({
    ...delivery,
    settings,
    emit: tell,
    log,
    now,
    visitor: () => ({
      anonymousId: identity.anonymousId(),
      userId: identity.userId(),
      context: {
        sessionId: sessions.touch(now()),
        pageViewId: view.pageViewId,
        page: { url: location.href, path: location.pathname },
      },
    }),
  })

  return {
    settings,
    log,
    listeners,
    capture,
    personalize,
    flush: sender.flush,
    track: (event, properties, at = now()) => capture({ type: 'track', event, properties: properties ?? {}, at }),
    beforePage: run => void enders.push(run),
    page(name, properties, at = now()) {
      for (const run of enders) guard(log, run)
      // What was tracked before the first `page` belongs to the same view.
      if (viewed) view = nextView(view, location.href, document.referrer, newId)
      viewed = true
      capture({ type: 'page', ...(name && { name }), properties: { ...pageOf(view), ...properties }, at })
    },
    identify(userId, traits, at = now()) {
      identity.identify(userId)
      capture({ type: 'identify', userId, traits: traits ?? {}, at })
    },
    alias(userId, at = now()) {
      capture({ type: 'alias', userId, previousId: identity.userId() ?? identity.anonymousId(), at })
    },
    reset() {
      identity.reset()
      sessions.reset()
    },
    watchEnd() {
      const { on } = listeners
      on(window, 'pagehide', sender.hide)
      // On `window`, where the event arrives after everything that listens on `document`.
      on(window, 'visibilitychange', () => {
        if (document.visibilityState === 'hidden') sender.hide()
        else sender.nudge(0)
      })
      // Only a hint: being offline is found out by trying.
      on(window, 'online', () => void sender.flush())
    },
    destroy() {
      listeners.off()
      sender.hide()
      sender.stop()
      delivery.close()
    },
  }
}
