import { guard, type Log } from '../platform/guard.js'
import type { Message, Middleware } from '../types.js'

/** In the order they were added. They live as long as the page, not as one client: they may come before `init`. */
export const middleware: Middleware[] = []

/** What capturing does with middleware. There since the first was added: a page that adds none doesn't carry it. */
export const rewriting: { rewrite?: typeof throughMiddleware } = {}

/**
 * Lets the middleware change a message, all but its id. Returns the context they leave; undefined when the message is
 * dropped. One that throws changes nothing further.
 *
 * @param head the message without its context
 * @param contextText its context as JSON
 */
export function throughMiddleware(
  head: Omit<Message, 'context'>,
  contextText: string,
  log: Log,
): Message['context'] | undefined {
  const { messageId } = head
  let message: Message = { ...head, context: JSON.parse(contextText) }
  for (const change of middleware) {
    const changed = guard(log, () => change(message))
    if (changed === null) return undefined
    message = changed ?? message
  }
  const { context, ...rest } = message
  Object.assign(head, rest, { messageId })
  return context
}
