import { type Batch, isObject, type Ledger, MAX_BATCH_BYTES, MAX_BATCH_MESSAGES } from '@slotstream/protocol'
import { jsonText } from '../../http/body/json-text.js'
import { Failure } from '../../http/failure.js'

/** Most reasons of a ledger, and the longest name of one. */
const MAX_LEDGER_REASONS = 20
const MAX_LEDGER_REASON_LENGTH = 64

/** A batch whose messages are not checked yet. */
export interface ParsedBatch {
  batch: unknown[]
  sentAt?: unknown
  ledger: Ledger | undefined
  /** Context of all messages, as Segment's API has it. */
  context?: Record<string, unknown>
  /** There is nothing else in it, such as a write key, that must not be kept. */
  isPlain: boolean
}

const PLAIN = new Set(['batch', 'batchId', 'sentAt', 'ledger'])

/** @throws Failure when it is no batch */
export function parseBatch(body: unknown): ParsedBatch {
  if (!isObject(body)) throw new Failure('malformed', 'the body must be a JSON object such as {"batch": […]}')
  const { batch } = body as Partial<Batch>
  if (!Array.isArray(batch))
    throw new Failure('malformed', 'batch is missing or not a list: send {"batch": [message, …]}')
  if (batch.length > MAX_BATCH_MESSAGES)
    throw new Failure(
      'too_large',
      `the batch has ${batch.length} messages, ${MAX_BATCH_MESSAGES} are allowed: send several smaller ones`,
    )
  const { sentAt, ledger, context } = body
  const isPlain = Object.keys(body).every(key => PLAIN.has(key))
  return {
    batch,
    sentAt,
    ledger: ledgerOf(ledger),
    isPlain,
    ...(isObject(context) ? { context: sharable(context, batch.length) } : {}),
  }
}

/** Returns the bytes that a batch's context takes in all of its messages together. */
export function sharedBytes({ context }: { context?: unknown }, messages: number): number {
  return isObject(context) ? Buffer.byteLength(jsonText(context)) * messages : 0
}

/** A batch's context becomes part of each message: what it then has in all is held to what a batch may have. */
function sharable(context: Record<string, unknown>, messages: number): Record<string, unknown> {
  if (sharedBytes({ context }, messages) > MAX_BATCH_BYTES)
    throw new Failure(
      'too_large',
      `with the batch's context in each, its ${messages} messages are larger than ${MAX_BATCH_BYTES / 1024} KB: send several smaller ones`,
    )
  return context
}

/** Returns the numbers of a ledger; undefined when it isn't one. */
function ledgerOf(raw: unknown): Ledger | undefined {
  if (!isObject(raw)) return undefined
  const { captured, sent, acknowledged, dropped } = raw
  if (!isCount(captured) || !isCount(sent) || !isCount(acknowledged)) return undefined
  const reasons = isObject(dropped) ? Object.entries(dropped) : []
  const counts = reasons
    .filter(([reason, count]) => reason.length <= MAX_LEDGER_REASON_LENGTH && isCount(count))
    .slice(0, MAX_LEDGER_REASONS) as [string, number][]
  return { captured, sent, acknowledged, dropped: Object.fromEntries(counts) }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
