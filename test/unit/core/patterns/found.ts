import type { PatternDefinition, PatternStates, StoredMessage } from '@slotstream/protocol'
import { parseDuration } from '@slotstream/protocol'
import { compilePatterns } from '#core/patterns/compile.js'
import type { CompiledPatterns, Match } from '#core/patterns/compiled.js'
import { firePatterns, stepPatterns } from '#core/patterns/step.js'

/** When the times of these tests begin. */
export const START = Date.UTC(2026, 0, 10, 12)

export const MINUTE = 60_000

/** Later than anything that is waited for. */
export const END = START + 1_000 * 86_400_000

/** A message that arrives, or a time at which what is due is done. */
export type Arrival = StoredMessage | { fireAt: number }

export function compiled(definitions: readonly PatternDefinition[]): CompiledPatterns {
  const set = compilePatterns(definitions)
  if (!set.ok) throw new Error(set.reason)
  return set.value
}

/** Faults of definitions, line by line. */
export function faultsOf(...definitions: unknown[]): string[] {
  const set = compilePatterns(definitions as PatternDefinition[])
  return set.ok ? [] : set.faults
}

export function message(id: string, at: number, event: string, fields: Partial<StoredMessage> = {}): StoredMessage {
  const timestamp = new Date(at).toISOString()
  const type = event === 'page' ? 'page' : 'track'
  return { messageId: id, type, ...(type === 'track' && { event }), anonymousId: 'v1', timestamp, ...fields }
}

/** A state as it is after it was stored and read. */
export function stored<T>(state: T): T {
  return state === undefined ? state : JSON.parse(JSON.stringify(state))
}

/** What is found in messages, and the state after them. */
export function run(
  patterns: CompiledPatterns,
  arrivals: readonly Arrival[],
  before?: PatternStates,
  between: (state: PatternStates | undefined) => PatternStates | undefined = state => state,
): { found: Match[]; state: PatternStates | undefined; due?: number } {
  let state = before
  let due: number | undefined
  const found: Match[] = []
  for (const arrival of arrivals) {
    const outcome =
      'fireAt' in arrival
        ? firePatterns(patterns, state, arrival.fireAt)
        : stepPatterns(patterns, state, arrival, { sessionId: 's1' })
    found.push(...outcome.found)
    state = between(outcome.state)
    due = outcome.due
  }
  return { found, state, ...(due !== undefined && { due }) }
}

/**
 * Reads `10m Order Completed {"cart_id": "c1"}`: time, event and properties; `10m (clock)` is a time without a message.
 */
export function arrivalOf(text: string, id: string): Arrival {
  const [, time = '', name = '', json] = /^(\S+) (.*?)(?: (\{.*\}))?$/.exec(text) ?? []
  const at = START + parseDuration(time)!
  if (name === '(clock)') return { fireAt: at }
  const { context, ...properties } = json ? JSON.parse(json) : {}
  return message(id, at, name, { properties, ...(context && { context }) })
}

/** Writes a match as `30m by #1, key c1`. */
export function written({ at, messageId, retracted, details }: Match): string {
  const seconds = (at - START) / 1000
  const unit = ([86_400, 'd', 3_600, 'h', 60, 'm', 1, 's'] as (number | string)[]).find(
    (size, index, all) =>
      index % 2 === 0 && seconds % (size as number) === 0 && (seconds > 0 || all[index + 1] === 'm'),
  ) as number
  const name = { 86400: 'd', 3600: 'h', 60: 'm', 1: 's' }[unit as 60]
  const time = unit === undefined ? `${seconds * 1000}ms` : `${seconds / unit}${name}`
  const key = details.key === undefined ? '' : `, key ${details.key}`
  return `${retracted ? 'retracted: ' : ''}${time} by ${messageId}${key}`
}
