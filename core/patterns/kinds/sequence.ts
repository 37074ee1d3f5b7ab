import {
  isoTime,
  type PatternFact,
  type PatternHit,
  type PatternRefuter,
  type PatternRun,
  type PatternState,
} from '@slotstream/protocol'
import { MAX_REFUTERS, MAX_TOLD, REFUTERS_MS, TOLD_MS } from '../bounds.js'
import type { PatternLogic, Tell } from '../compiled.js'
import {
  bounded,
  deadlineOf,
  fits,
  isAbsenceOfFirst,
  isBegunAnew,
  isOver,
  isReplaced,
  refutes,
  refutesLate,
  runOf,
  type Sequence,
} from './runs.js'
import { stateWith } from './state-with.js'

/**
 * Messages one after the other, and absences. Of each key one run is remembered for each place in the sequence, the one
 * that began last: it can be completed whenever an earlier one could. So an absence is counted from the latest message.
 * A match uses up all messages of its key up to its last one: the next match begins after it.
 */
export function sequenceLogic(sequence: Sequence): PatternLogic {
  return {
    take: (state, fact, tell) => take(sequence, state, fact, tell),
    deadline: ({ runs }) => earliestDeadline(sequence, runs),
    expire: (state, tell) => expire(sequence, state, tell),
  }
}

function take(sequence: Sequence, state: PatternState, fact: PatternFact, tell: Tell): PatternState {
  const { runs = [], refuters, told: reportedBefore = [], settled = fact.at } = state
  const reported = reportedBefore.slice()
  const begun: PatternRun[] = []
  const ended = new Set<string>()
  for (const run of advancedBy(sequence, runs, fact)) {
    if (ended.has(run.key)) continue
    if (run.times.length < sequence.elements.length) begun.push(run)
    else {
      ended.add(run.key)
      report(sequence, run, fact.at, reported, tell)
    }
  }
  const guards = fact.hits.filter(([step]) => sequence.roles[step]!.isGuard)
  const isRefuted = (run: PatternRun, place: number) => guards.some(hit => refutes(sequence, hit, fact.at, run, place))
  let next = runs.filter(run => !ended.has(run.key) && !isRefuted(run, run.times.length))
  for (const run of begun) {
    if (ended.has(run.key)) continue
    if (deadlineOf(sequence, run) < Number.POSITIVE_INFINITY)
      retract(reported, tell, other => isBegunAnew(sequence, other, run))
    next = next.filter(other => !isReplaced(sequence, other, run))
    if (fact.at < settled && isLateRefuted(sequence, run, refuters, reported)) continue
    if (!next.some(other => isReplaced(sequence, run, other))) next.push(run)
  }
  if (guards.length > 0)
    retract(reported, tell, run => run.times.some((_, place) => place > 0 && isRefuted(run, place)))
  const now = Math.max(settled, fact.at)
  const added = refutersAmong(sequence, fact)
  return stateWith(state, {
    runs: bounded(next.filter(run => !isOver(sequence, run, now))),
    told:
      reported.length > 0 ? reported.filter(({ times }) => times.at(-1)! > now - TOLD_MS).slice(-MAX_TOLD) : reported,
    refuters: added.length > 0 ? remembered([...(refuters ?? []), ...added], now) : refuters,
  })
}

/** Runs that a message begins or takes a step further: from those before it, so that none takes two steps by it. */
function advancedBy({ roles, withinMs }: Sequence, runs: readonly PatternRun[], fact: PatternFact): PatternRun[] {
  const { at, hits } = fact
  const all: PatternRun[] = []
  for (const hit of hits) {
    const { place, isGuard } = roles[hit[0]]!
    if (isGuard) continue
    if (place === 0) for (const key of keysOf(hit)) all.push(runOf(fact, key, [at]))
    else
      for (const { key, times } of runs)
        if (times.length === place && fits(hit, key) && times[place - 1]! <= at && at - times[0]! < withinMs)
          all.push(runOf(fact, key, [...times, at]))
  }
  return all
}

/** Returns whether a run that begins late was refuted, or its absence begun anew, by what came in the meantime. */
function isLateRefuted(
  sequence: Sequence,
  run: PatternRun,
  refuters: readonly PatternRefuter[] | undefined,
  reported: readonly PatternRun[],
): boolean {
  return (
    (refuters?.some(refuter => refutesLate(sequence, refuter, run)) ?? false) ||
    reported.some(other => isBegunAnew(sequence, run, other))
  )
}

/** Ends the waits that are over at the time of the earliest. */
function expire(sequence: Sequence, state: PatternState, tell: Tell): PatternState {
  const { runs = [], told: reportedBefore = [] } = state
  const at = earliestDeadline(sequence, runs)
  const reported = reportedBefore.slice()
  let next = runs
  for (const run of runs) {
    // A match at this time may have used it up.
    if (deadlineOf(sequence, run) !== at || !next.includes(run)) continue
    const over: PatternRun = { ...run, times: [...run.times, at] }
    next = next.filter(other => other !== run)
    if (over.times.length < sequence.elements.length)
      next = [...next.filter(other => !isReplaced(sequence, other, over)), over]
    else {
      const lastMessageAt = run.times.at(-1)!
      next = next.filter(other => other.key !== run.key || other.times[0]! > lastMessageAt)
      report(sequence, over, at, reported, tell)
    }
  }
  return stateWith(state, { runs: next, told: reported.slice(-MAX_TOLD) })
}

function earliestDeadline(sequence: Sequence, runs: readonly PatternRun[] | undefined): number {
  let earliest = Number.POSITIVE_INFINITY
  if (runs) for (const run of runs) earliest = Math.min(earliest, deadlineOf(sequence, run))
  return earliest
}

function report({ elements }: Sequence, run: PatternRun, at: number, reported: PatternRun[], tell: Tell): void {
  const isTold = tell(toldOf(run, at))
  if (isTold && elements.some(({ isGuarded }) => isGuarded)) reported.push(run)
}

function toldOf({ key, times, id, session, isTold }: PatternRun, at: number) {
  const details = { ...(key !== '' && { key }), since: isoTime(times[0]!), seconds: (at - times[0]!) / 1000 }
  return { key, messageId: id, sessionId: session, at, details, ...(isTold && { isTold }) }
}

/** Takes back the signals that a late message shows to be wrong. */
function retract(reported: PatternRun[], tell: Tell, isWrong: (run: PatternRun) => boolean): void {
  for (const run of reported.filter(isWrong)) {
    reported.splice(reported.indexOf(run), 1)
    tell({ ...toldOf(run, run.times.at(-1)!), retracted: true })
  }
}

/** Returns the refutations of a message for runs that begin later, but whose messages are earlier. */
function refutersAmong(sequence: Sequence, { hits, at }: PatternFact): PatternRefuter[] {
  const all: PatternRefuter[] = []
  for (const hit of hits) {
    const [step] = hit
    const { isGuard, place } = sequence.roles[step]!
    if (!isGuard && (place > 0 || !isAbsenceOfFirst(sequence))) continue
    if (hit.length === 1) all.push({ step, at })
    else for (const key of keysOf(hit)) all.push({ step, at, key })
  }
  return all
}

function remembered(refuters: PatternRefuter[], now: number): PatternRefuter[] {
  const recent = refuters.filter(({ at }) => at > now - REFUTERS_MS)
  return recent.length > MAX_REFUTERS ? recent.slice(-MAX_REFUTERS) : recent
}

/** Keys of a step that a message fits; of one without key it is the empty one. */
function keysOf(hit: PatternHit): string[] {
  return hit.length === 1 ? [''] : (hit.slice(1) as string[])
}
