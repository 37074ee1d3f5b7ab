import type { Check } from '../../wire/checks/check.js'
import { isObject } from '../../wire/checks/is-object.js'
import { isCount, isId, isText, misfit } from '../../wire/checks/parse-stored.js'
import { keyToken } from '../names/key-token.js'

/**
 * A value of the bucket `webhook_letters`: a signal that a webhook did not take in time, kept until it is replayed or
 * the webhook is deleted. Its payload is the message of the stream, with this signal alone.
 */
export interface WebhookLetter {
  stream: string
  seq: number
  /** Place of the signal in its message. */
  index: number
  signalId: string
  signal: string
  encoding: 'text'
  payload: string
  /** Reason why the last attempt failed, and its HTTP status, 0 for none. */
  error: string
  status: number
  attempts: number
  /** When it was given up, ISO 8601. */
  failedAt: string
}

/** Returns the key of a letter in the bucket `webhook_letters`. */
export function letterKey(partition: number, siteId: string, webhookId: string, signalId: string): string {
  return `${partition}.${siteId}.${webhookId}.${keyToken(signalId)}`
}

/** Parses a value of the bucket `webhook_letters`. */
export function parseWebhookLetter(raw: unknown): Check<WebhookLetter> {
  if (!isObject(raw)) return misfit('a letter must be a JSON object')
  for (const field of ['stream', 'payload', 'error', 'failedAt'] as const)
    if (!isText(raw[field])) return misfit(`${field} is not text`)
  for (const field of ['signalId', 'signal'] as const)
    if (!isId(raw[field])) return misfit(`${field} is not text of 1 to 256 characters`)
  for (const field of ['seq', 'index', 'status', 'attempts'] as const)
    if (!isCount(raw[field])) return misfit(`${field} is not a whole number from 0`)
  if (raw.encoding !== 'text') return misfit('encoding is unknown')
  return { ok: true, value: raw as unknown as WebhookLetter }
}
