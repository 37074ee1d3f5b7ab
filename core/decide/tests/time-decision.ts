import type { DecisionTest } from '@slotstream/protocol'
import { decide } from '../decide.js'
import { createMakeReady, type TestedCatalog } from './ask-as-given.js'

/** Decisions that are made first, so that code and catalog are as warm as they are while visitors are served. */
const WARM_UPS = 20

/** Time after which no more of them are made, in milliseconds. */
const WARM_UP_MS = 200

/** Decisions of which most must be quick enough. */
const TIMED = 21
const MOST = (TIMED + 1) / 2

/** What it takes to measure how long decisions take. */
export interface Timing {
  /** Returns milliseconds, with fractions, since whenever: `performance.now`. */
  clock: () => number
  /** Called between decisions, so that other work need not wait for all of them. Default: they follow each other */
  pause?: () => Promise<void> | undefined
}

/**
 * Creates the function that measures whether decisions of a test take as long as its `withinMs` says at most. It makes
 * them as visitors are served, by a policy that has learned nothing; what comes before and after is not in it.
 *
 * @param siteId,now see `createRunDecisionTest`
 * @returns a line where most decisions take longer
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
