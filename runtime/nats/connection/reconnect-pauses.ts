import type { ConnectionOptions } from '@nats-io/transport-node'

/**
 * Returns when to try a server again, as options of the NATS client: a pause of one to two times `waitMs` between two
 * attempts on the same server.
 *
 * The client's own pauses go by the wall clock: when that is set back while there is no connection, it would not try
 * again before the time of its last attempt has come a second time.
 *
 * @param now milliseconds of a clock that is never set
 */
export function reconnectPauses(
  waitMs: number,
  now: () => number = () => performance.now(),
): Required<Pick<ConnectionOptions, 'reconnectDelayHandler' | 'reconnectToServer'>> {
  const tried = new Map<string, number>()
  return {
    // By the client's clock, the time has always come.
    reconnectDelayHandler: () => Number.NEGATIVE_INFINITY,
    reconnectToServer([server]) {
      if (!server) return null
      const due = (tried.get(server.listen) ?? Number.NEGATIVE_INFINITY) + waitMs * (1 + Math.random())
      const delay = Math.max(0, due - now())
      tried.set(server.listen, now() + delay)
      return { server, delay }
    },
  }
}
