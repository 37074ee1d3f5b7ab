import type { Ledger } from '@slotstream/protocol'
import type { SealedBatch } from './database/tables.js'

/** Most bytes that a batch's body has beside its messages. */
export const ENVELOPE_BYTES = 1_000

/** Returns the JSON text of a batch, put together from texts: nothing is parsed or written twice. */
export function bodyOf({ batchId, texts }: SealedBatch, sentAt: number, ledger: Ledger | undefined): string {
  const head = JSON.stringify({ batchId, sentAt: new Date(sentAt).toISOString(), ledger })
  return `${head.slice(0, -1)},"batch":[${texts.join()}]}`
}
