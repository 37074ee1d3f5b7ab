import { isoTime, type PatternFact, type PatternRun, type PatternState } from '@slotstream/protocol'
import { MAX_TOLD, TOLD_MS } from '../bounds.js'
import type { PatternLogic, Tell } from '../compiled.js'
import { runOf } from './runs.js'
import { stateWith, withLatest } from './state-with.js'

const DAY_MS = 86_400_000

/**
 * Returns the logic that finds a message at least `afterMs` after the one before. The first one of all is no return.
 */
export function returnLogic(afterMs: number): PatternLogic {
  return {
    glance: (state, { at }) => {
      const sinceMs = at - (state.latest?.at ?? at)
      return sinceMs >= 0 && sinceMs < afterMs ? withLatest(state, { at }) : undefined
    },
    take: (state, fact, tell) =>
      state.latest && fact.at < state.latest.at
        ? takeLate(afterMs, state, fact, tell)
        : takeNext(afterMs, state, fact, tell),
    deadline: () => Number.POSITIVE_INFINITY,
    expire: state => state,
  }
}

function takeNext(afterMs: number, state: PatternState, fact: PatternFact, tell: Tell): PatternState {
  const { at } = fact
  const before = state.latest?.at ?? at
  if (at - before < afterMs) return withLatest(state, { at })
  const reported = report(before, fact, state.told ?? [], tell)
  return withLatest(stateWith(state, { told: reported }), { at })
}

/** Takes a message from within a time in which there seemed to be none. */
function takeLate(afterMs: number, state: PatternState, fact: PatternFact, tell: Tell): PatternState {
  const { at } = fact
  const gap = state.told?.find(({ times: [from, to] }) => at > from! && at < to!)
  if (!gap) return state
  const [from, to] = gap.times as [number, number]
  let reported = state.told!.filter(run => run !== gap)
  if (at - from >= afterMs) reported = report(from, fact, reported, tell)
  if (to - at >= afterMs) reported = [...reported, { ...gap, times: [at, to] }]
  else tell({ ...toldOf(gap), retracted: true })
  return stateWith(state, { told: reported })
}

function report(from: number, fact: PatternFact, reported: PatternRun[], tell: Tell): PatternRun[] {
  const { at } = fact
  const run = runOf(fact, '', [from, at])
  if (!tell(toldOf(run))) return reported
  return [...reported.filter(({ times }) => times[1]! > at - TOLD_MS), run].slice(-MAX_TOLD)
}

function toldOf({ key, times, id, session, isTold }: PatternRun) {
  const [from, at] = times as [number, number]
  const details = { since: isoTime(from), days: Math.floor((at - from) / DAY_MS) }
  return { key, messageId: id, sessionId: session, at, details, ...(isTold && { isTold }) }
}
