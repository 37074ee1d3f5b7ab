import { guard, type Log } from './platform/guard.js'
import type { Message } from './types.js'

/** Changes a message in place or returns another; `null` drops it, which is counted as `middleware`. */
export type Middleware = (message: Message) => Message | null | undefined

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
