import type { PatternFact, PatternState } from '@slotstream/protocol'
import type { PatternLogic, Tell } from '../compiled.js'
import { withLatest } from './state-with.js'

/**
 * Returns the logic that finds a message with another value than the message before, less than `withinMs` ago. Messages
 * without the value are not looked at, nor is what arrives late: the change was found at the message after it.
 */
export function changeLogic(withinMs: number): PatternLogic {
  return {
    glance: (state, { at, value }) =>
      state.latest && state.latest.value === value && at >= state.latest.at
        ? withLatest(state, { at, value })
        : undefined,
    take: (state, fact, tell) => take(withinMs, state, fact, tell),
    deadline: () => Number.POSITIVE_INFINITY,
    expire: state => state,
  }
}

function take(withinMs: number, state: PatternState, fact: PatternFact, tell: Tell): PatternState {
  const { at, value = '', id, session } = fact
  const before = state.latest
  if (before && at < before.at) return state
  if (before && before.value !== value && at - before.at < withinMs) {
    const details = { from: before.value ?? '', to: value, seconds: (at - before.at) / 1000 }
    tell({ key: '', messageId: id, sessionId: session, at, details, ...(fact.isTold && { isTold: true }) })
  }
  return withLatest(state, { at, value })
}
