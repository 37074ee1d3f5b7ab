import { guard, type Log } from './platform/guard.js'
import type { Message, Middleware } from './types.js'

/** In the order they were added. They live as long as the page, not as one client: they may come before `init`. */
export const middleware: Middleware[] = []

/** The message as the middleware leaves it; undefined when it is dropped. One that throws changes nothing further. */
export function throughMiddleware(message: Message, log: Log): Message | undefined {
  for (const change of middleware) {
    const changed = guard(log, () => change(message))
    if (changed === null) return undefined
    message = changed ?? message
  }
  return message
}
