import type { DecisionTest } from '@slotstream/protocol'
import { decide } from '../decide.js'
import { createMakeReady, type TestedCatalog } from './ask-as-given.js'

/** Decisions before measuring, so that code and caches are as warm as while visitors are served. */
const WARM_UPS = 20

/** Time after which warming up ends, in milliseconds. */
const WARM_UP_MS = 200

/** Decisions that are measured; the majority of them decides. */
const TIMED = 21
const MOST = (TIMED + 1) / 2

/** Clock and pauses for measuring decisions. */
export interface Timing {
  /** Returns milliseconds, with fractions, since any fixed time: `performance.now`. */
  clock: () => number
  /** Called between decisions, to let other work run. Default: no pause */
  pause?: () => Promise<void> | undefined
}

/**
 * Creates the function that measures whether the decisions of a test take at most `withinMs`. They are made by the code
 * that serves visitors, with policies that have learned nothing; reading the profile and recording are not measured.
 *
 * @param siteId,now see `createRunDecisionTest`
 * @returns function that resolves to a line if most decisions take longer, else to an empty list
 */
export function createTimeDecisions(
  catalog: TestedCatalog,
  siteId: string,
  now: number,
  { clock, pause = () => undefined }: Timing,
): (test: DecisionTest) => Promise<string[]> {
  const makeReady = createMakeReady(catalog, siteId, now)

  return async test => {
    const { withinMs } = test.expect
    const ready = withinMs === undefined ? undefined : makeReady(test)
    if (!ready || withinMs === undefined) return []
    const take = (n: number): number => {
      const start = clock()
      decide({ situation: ready.situation(), slot: ready.slot, seed: `${n}` })
      return clock() - start
    }
    let spentMs = 0
    for (let n = 0; n < WARM_UPS && spentMs < WARM_UP_MS; n++) {
      spentMs += take(n)
      await pause()
    }
    const [quick, slow]: [number[], number[]] = [[], []]
    for (let n = 0; quick.length < MOST && slow.length < MOST; n++) {
      const ms = take(n)
      if (ms <= withinMs) quick.push(ms)
      else slow.push(ms)
      await pause()
    }
    if (quick.length >= MOST) return []
    const times = [...quick, ...slow].sort((a, b) => a - b)
    const median = times[Math.floor(times.length / 2)]!
    return [`withinMs: it takes ${shown(median)} ms (median of ${times.length} decisions), ${withinMs} are allowed`]
  }
}

function shown(ms: number): string {
  return String(Number(ms.toPrecision(3)))
}
