import { type Clock, machineClock } from '../support/open-loop.js'

/**
 * Asks again and again which of the awaited messages are visible. A message's latency ends when the answer that first
 * names it arrives, so it is too long by at most the time between two answers, which is reported with it.
 *
 * @param visibleOf asks which of these message ids can be seen, the oldest of which is awaited since then, by the clock
 * @param pauseMs between an answer and the next question
 */
export function watchRows(
  visibleOf: (messageIds: string[], oldest: number) => Promise<string[]>,
  { pauseMs = 10, clock = machineClock }: { pauseMs?: number; clock?: Clock } = {},
) {
  const awaited = new Map<string, number>()
  const latencies: number[] = []
  const betweenAnswers: number[] = []
  let stopping = false

  const watching = (async () => {
    let last: number | undefined
    while (!stopping) {
      if (awaited.size > 0) {
        const [oldest] = awaited.values()
        const visible = await visibleOf([...awaited.keys()], oldest!)
        const now = clock.now()
        if (last !== undefined) betweenAnswers.push(now - last)
        last = now
        for (const messageId of visible) {
          const since = awaited.get(messageId)
          if (since === undefined) continue
          latencies.push(now - since)
          awaited.delete(messageId)
        }
      } else last = undefined
      await clock.sleep(pauseMs)
    }
  })()

  return {
    /** Waits for a message. @param since when it was tracked, by the clock */
    add: (messageId: string, since: number) => void awaited.set(messageId, since),
    waitingFor: () => awaited.size,
    latencies,
    betweenAnswers,
    async stop(): Promise<void> {
      stopping = true
      await watching
    },
  }
}
