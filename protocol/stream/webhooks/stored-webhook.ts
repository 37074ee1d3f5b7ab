import type { Check } from '../../wire/checks/check.js'
import { isObject } from '../../wire/checks/is-object.js'
import { isCount, isListOf, isSiteId, isText, misfit } from '../../wire/checks/parse-stored.js'

/** Most webhooks of a site. */
export const MAX_WEBHOOKS = 20

/** Longest URL of a webhook, in bytes. */
export const MAX_WEBHOOK_URL_BYTES = 2_048

/** A value of the bucket `webhooks`: where a site's signals are sent to. */
export interface StoredWebhook {
  webhookId: string
  siteId: string
  url: string
  /** Names of the signals that it gets; empty: all. */
  signals: string[]
  /** When it was declared, ISO 8601. */
  createdAt: string
  /** The secret of its signatures, encrypted with the installation's key. */
  sealedSecret: string
  /** The last sequence of each stream of signals when it was declared: it gets later ones only. */
  since: Record<string, number>
}

const ID = /^[A-Za-z0-9_-]{1,64}$/

/** Tells whether a value is the id of a webhook: it becomes part of keys. */
export function isWebhookId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value)
}

/** Returns the key of a webhook in the bucket `webhooks`. */
export function webhookKey({ siteId, webhookId }: Pick<StoredWebhook, 'siteId' | 'webhookId'>): string {
  return `${siteId}.${webhookId}`
}

/** Parses a value of the bucket `webhooks`. */
export function parseStoredWebhook(raw: unknown): Check<StoredWebhook> {
  if (!isObject(raw)) return misfit('a webhook must be a JSON object')
  if (!isWebhookId(raw.webhookId)) return misfit('webhookId is no id of a webhook')
  if (!isSiteId(raw.siteId)) return misfit('siteId is not a site’s id')
  for (const field of ['url', 'createdAt', 'sealedSecret'] as const)
    if (!isText(raw[field])) return misfit(`${field} is not text`)
  if (!isListOf(raw.signals, isText)) return misfit('signals is not a list of text')
  if (!isObject(raw.since) || !Object.values(raw.since).every(isCount)) return misfit('since is no object of sequences')
  return { ok: true, value: raw as unknown as StoredWebhook }
}
