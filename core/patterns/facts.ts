import type { PatternFact, PatternHit, StoredMessage } from '@slotstream/protocol'
import type { PathValue } from '../conditions/message-paths.js'
import { AMOUNT_SCALE, MAX_AMOUNT, MAX_KEYS_OF_MESSAGE } from './bounds.js'
import type { CompiledPattern, Watch } from './compiled.js'
import { comparedText, keptText } from './kept-text.js'

/** Returns what a message is to a pattern; undefined: nothing. */
export function factOf(
  { pattern, matchers }: Watch,
  message: StoredMessage,
  at: number,
  session: string,
): PatternFact | undefined {
  const hits: PatternHit[] = []
  for (const { step, condition, readKeys } of matchers)
    if (!condition || condition.matches(message)) hits.push(readKeys ? [step, ...keysAmong(readKeys(message))] : [step])
  if (hits.length === 0) return undefined
  const fact: PatternFact = { at, seq: seqOf(message), id: keptText(message.messageId), session, hits }
  return pattern.readValue ? withValue(fact, pattern, pattern.readValue(message)) : fact
}

/** Which of two messages goes first: by time, then as their browser numbered them, then by id. */
export function compareFacts(one: PatternFact, other: PatternFact): number {
  return one.at - other.at || one.seq - other.seq || (one.id < other.id ? -1 : one.id > other.id ? 1 : 0)
}

/** Different keys; a message that has none is of the empty one, with all others that have none. */
function keysAmong(values: readonly PathValue[]): string[] {
  if (values.length === 1) return [comparedText(values[0]!)]
  const keys = new Set(values.map(comparedText))
  if (keys.size > 1) keys.delete('')
  return keys.size > 0 ? [...keys].slice(0, MAX_KEYS_OF_MESSAGE) : ['']
}

function withValue(
  fact: PatternFact,
  { kind }: CompiledPattern,
  values: readonly PathValue[],
): PatternFact | undefined {
  if (kind === 'sum') {
    const amount = amountOf(values)
    return amount > 0 ? { ...fact, amount } : undefined
  }
  const value = values.map(comparedText).find(text => text !== '')
  return value === undefined ? undefined : { ...fact, value }
}

/** Sum of the numbers above 0, in millionths: whole numbers, whose sum is the same in any order. */
function amountOf(values: readonly PathValue[]): number {
  let sum = 0
  for (const value of values)
    if (typeof value === 'number' && value > 0) sum += Math.round(Math.min(value, MAX_AMOUNT) * AMOUNT_SCALE)
  return Math.min(sum, MAX_AMOUNT * AMOUNT_SCALE)
}

function seqOf({ context }: StoredMessage): number {
  const seq = context?.seq
  return typeof seq === 'number' && Number.isFinite(seq) ? seq : 0
}
