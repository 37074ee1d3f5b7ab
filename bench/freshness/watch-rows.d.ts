import { type Clock } from '../support/open-loop.js'
/**
 * Asks again and again which of the awaited messages are visible. A message's latency ends when the answer that first
 * names it arrives, so it is too long by at most the time between two answers, which is reported with it.
 *
 * @param visibleOf asks which of these message ids can be seen
 * @param pauseMs between an answer and the next question
 */
export declare function watchRows(
  visibleOf: (messageIds: string[]) => Promise<string[]>,
  {
    pauseMs,
    clock,
  }?: {
    pauseMs?: number
    clock?: Clock
  },
): {
  /** Waits for a message. @param since when it was tracked, by the clock */
  add: (messageId: string, since: number) => undefined
  waitingFor: () => number
  latencies: number[]
  betweenAnswers: number[]
  stop(): Promise<void>
}
