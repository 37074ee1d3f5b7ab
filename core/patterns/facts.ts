import type { PatternFact, PatternHit, StoredMessage } from '@slotstream/protocol'
import type { PathValue } from '../conditions/message-paths.js'
import { numberOf } from '../features/input/scalar.js'
import { AMOUNT_SCALE, MAX_AMOUNT, MAX_KEYS_OF_MESSAGE } from './bounds.js'
import type { Watch } from './compiled.js'
import { comparedText, keptText } from './kept-text.js'

/** The fields kept of a message beside those that each pattern reads: made once for all of them. */
export type MessageIds = Pick<PatternFact, 'at' | 'seq' | 'id' | 'session' | 'isTold'>

export function idsOf({ messageId, context }: StoredMessage, at: number, sessionId: string): MessageIds {
  const seq = context?.seq
  return {
    at,
    seq: typeof seq === 'number' && Number.isFinite(seq) ? seq : 0,
    id: keptText(messageId),
    session: keptText(sessionId),
  }
}

/** Returns what a message is to a pattern; undefined: nothing. */
export function factOf({ pattern, matchers }: Watch, message: StoredMessage, ids: MessageIds): PatternFact | undefined {
  const hits: PatternHit[] = []
  for (const { step, hit, condition, readKeys } of matchers)
    if (!condition || condition.matches(message)) hits.push(readKeys ? [step, ...keysAmong(readKeys(message))] : hit)
  if (hits.length === 0) return undefined
  const { at, seq, id, session } = ids
  const fact: PatternFact = { at, seq, id, session, hits }
  if (ids.isTold) fact.isTold = true
  if (!pattern.readValue) return fact
  const values = pattern.readValue(message)
  return pattern.kind === 'sum' ? withAmount(fact, values) : withValue(fact, values)
}

/** Compares two messages: by time, then as their browser numbered them, then by id. */
export function compareFacts(a: PatternFact, b: PatternFact): number {
  return a.at - b.at || a.seq - b.seq || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}

/** Returns the different keys; a message that has none is of the empty one, with all others that have none. */
function keysAmong(values: readonly PathValue[]): string[] {
  if (values.length === 1) return [comparedText(values[0]!)]
  const keys = new Set(values.map(comparedText))
  if (keys.size > 1) keys.delete('')
  return keys.size > 0 ? [...keys].slice(0, MAX_KEYS_OF_MESSAGE) : ['']
}

function withAmount(fact: PatternFact, values: readonly PathValue[]): PatternFact | undefined {
  const amount = amountOf(values)
  if (amount > 0) fact.amount = amount
  return amount > 0 ? fact : undefined
}

function withValue(fact: PatternFact, values: readonly PathValue[]): PatternFact | undefined {
  for (const value of values) {
    if (value === '') continue
    fact.value = comparedText(value)
    return fact
  }
  return undefined
}

/** Returns the sum of the numbers above 0, in millionths: whole numbers, whose sum is the same in any order. */
function amountOf(values: readonly PathValue[]): number {
  let sum = 0
  for (const value of values) sum += Math.round(Math.min(Math.max(numberOf(value) ?? 0, 0), MAX_AMOUNT) * AMOUNT_SCALE)
  return Math.min(sum, MAX_AMOUNT * AMOUNT_SCALE)
}
