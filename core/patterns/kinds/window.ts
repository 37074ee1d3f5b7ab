import type { JsonObject, PatternFact, PatternState, PatternWindow } from '@slotstream/protocol'
import { AMOUNT_SCALE, MAX_AMOUNTS, MAX_WINDOW_MESSAGES, MAX_WINDOWS } from '../bounds.js'
import type { PatternLogic, Tell } from '../compiled.js'
import { stateWith } from './state-with.js'

/** The messages, or the sum, that must come together within a time. */
export interface WindowRule {
  /** Number of messages, or millionths that their amounts add up to. */
  needed: number
  isSum: boolean
  withinMs: number
}

/**
 * Returns the logic that finds so many messages, or so large a sum, within a time that ends with one of them. Those
 * counted are used up: the next match needs as many new ones.
 */
export function windowLogic(rule: WindowRule): PatternLogic {
  return {
    take: (state, fact, tell) => take(rule, state, fact, tell),
    deadline: () => Number.POSITIVE_INFINITY,
    expire: state => state,
  }
}

function take(rule: WindowRule, state: PatternState, fact: PatternFact, tell: Tell): PatternState {
  const [[, ...keys] = [0]] = fact.hits
  let windows = state.windows ?? []
  for (const key of keys.length > 0 ? keys : ['']) {
    const { window, index } = added(rule, windows.find(other => other.key === key) ?? { key, times: [] }, fact)
    const reached = reachedBy(rule, window, index, fact.at)
    windows = windows.filter(other => other.key !== key)
    if (!reached) windows = [...windows, window]
    else
      tell({
        key,
        messageId: fact.id,
        sessionId: fact.session,
        at: fact.at,
        details: { ...(key !== '' && { key }), ...reached },
        ...(fact.isTold && { isTold: true }),
      })
  }
  const now = Math.max(state.settled ?? fact.at, fact.at)
  return stateWith(state, { windows: bounded(windows.filter(({ times }) => now - times.at(-1)! < rule.withinMs)) })
}

/** Puts a message into a window, where its time belongs; what is too old for the latest one is left out. */
function added(rule: WindowRule, before: PatternWindow, { at, amount = 0 }: PatternFact) {
  const times = before.times.slice()
  const amounts = before.amounts?.slice() ?? []
  let index = times.length
  while (index > 0 && times[index - 1]! > at) index--
  times.splice(index, 0, at)
  if (rule.isSum) amounts.splice(index, 0, amount)
  while (times.at(-1)! - times[0]! >= rule.withinMs) {
    times.shift()
    amounts.shift()
    index--
  }
  if (rule.isSum && times.length > MAX_AMOUNTS) {
    times.splice(1, 1)
    amounts.splice(0, 2, amounts[0]! + amounts[1]!)
    index = Math.max(index - 1, 0)
  }
  return { window: { key: before.key, times, ...(rule.isSum && { amounts }) }, index }
}

/**
 * Returns the match of a window with the message at an index, within any time that the message is part of, if it
 * reaches the rule.
 */
function reachedBy(
  { needed, isSum, withinMs }: WindowRule,
  { times, amounts = [] }: PatternWindow,
  index: number,
  at: number,
): JsonObject | undefined {
  if (index < 0) return undefined
  let first = 0
  let total = 0
  for (let last = 0; last < times.length && times[last]! - at < withinMs; last++) {
    total += isSum ? amounts[last]! : 1
    for (; times[last]! - times[first]! >= withinMs; first++) total -= isSum ? amounts[first]! : 1
    if (last < index || total < needed) continue
    const seconds = (times[last]! - times[first]!) / 1000
    return isSum ? { sum: total / AMOUNT_SCALE, seconds } : { count: total, seconds }
  }
  return undefined
}

/** Drops the keys whose latest messages are oldest, as far as there are too many keys or messages. */
function bounded(windows: PatternWindow[]): PatternWindow[] {
  let remaining = windows
  while (remaining.length > MAX_WINDOWS || messagesOf(remaining) > MAX_WINDOW_MESSAGES) {
    const oldest = remaining.reduce((a, b) => (b.times.at(-1)! < a.times.at(-1)! ? b : a))
    remaining = remaining.filter(window => window !== oldest)
  }
  return remaining
}

function messagesOf(windows: readonly PatternWindow[]): number {
  return windows.reduce((sum, { times }) => sum + times.length, 0)
}
