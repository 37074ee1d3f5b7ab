import { guard, type Log } from '../platform/guard.js'
import type { Message, Middleware } from '../types.js'

/**
 * Middleware in the order of being added. It lasts as long as the page, not as one client: it may come before `init`.
 */
export const middleware: Middleware[] = []

/**
 * Hook by which capturing runs middleware. Set when the first is added: a page that adds none doesn't carry the code.
 */
export const rewriting: { rewrite?: typeof throughMiddleware } = {}

/**
 * Lets the middleware change a message, all but its id. Returns the context that results; undefined when the message is
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
