import type { SignalMemory } from '@slotstream/protocol'
import type { Detector } from './detector.js'

const MINUTE_MS = 60_000

/**
 * Maximum per minute of a session that a person controls. A page sends a handful of messages by itself for each click,
 * so five a second for a whole minute, or a page a second, come from a program, or from a page in a loop.
 */
export const MOST = { messages: 300, page_views: 60 } as const

/**
 * A session is busier than a person can be. Told once a session. Counted are minutes that follow one another, each
 * from its first message on, by the messages' own times.
 */
export const sessionAnomaly: Detector<NonNullable<SignalMemory['session_anomaly']>> = (
  { message, at, session },
  memory,
) => {
  const current = session === 'began' ? undefined : memory
  if (session === 'late' || current?.told) return { memory: current }
  const view = message.type === 'page' || message.type === 'screen' ? 1 : 0
  if (!current || at >= current.since + MINUTE_MS) return { memory: { since: at, messages: 1, pageViews: view } }
  if (at < current.since) return { memory: current }
  const { since } = current
  const [messages, pageViews] = [current.messages + 1, current.pageViews + view]
  const details =
    pageViews > MOST.page_views
      ? { what: 'page_views', count: pageViews, most: MOST.page_views }
      : messages > MOST.messages
        ? { what: 'messages', count: messages, most: MOST.messages }
        : undefined
  if (!details) return { memory: { since, messages, pageViews } }
  return { memory: { since, messages, pageViews, told: true }, details: { ...details, seconds: (at - since) / 1000 } }
}
