import {
  BUCKETS,
  bucketStream,
  fromKeyToken,
  letterKey,
  parseSignalEnvelope,
  parseStored,
  parseWebhookLetter,
  type SignalEnvelope,
  STREAMS,
  type WebhookLetter,
} from '@slotstream/protocol'
import {
  bucketKeys,
  type Installation,
  ignoreMissing,
  type Log,
  type Nats,
  parseEntry,
  skipEntry,
} from '@slotstream/runtime'
import type { Pending } from '../queue/pending.js'

/** The dead letters of a partition, in the bucket `webhook_letters`. */
export interface LetterStore {
  /** Lists the signals that there are letters of, by webhook. */
  all(): Promise<Map<string, { siteId: string; signalIds: string[] }>>
  /** Reads a letter; undefined: there is none, or not any more. */
  read(siteId: string, webhookId: string, signalId: string): Promise<WebhookLetter | undefined>
  /** Stores a signal as a letter; done twice, there is one. @param envelope with this signal alone */
  write(webhookId: string, envelope: SignalEnvelope, pending: Pending, failedAt: string): Promise<void>
  remove(siteId: string, webhookId: string, signalId: string): Promise<void>
}

/** Creates the store of a partition. */
export function createLetterStore(
  { manager }: Pick<Nats, 'manager'>,
  { webhookLetters: bucket }: Pick<Installation['buckets'], 'webhookLetters'>,
  partition: number,
  log: Log,
): LetterStore {
  return {
    async all() {
      const byWebhook = new Map<string, { siteId: string; signalIds: string[] }>()
      for (const key of await bucketKeys(bucket, `${partition}.>`)) {
        const [, siteId = '', webhookId = '', token = ''] = key.split('.')
        const ofWebhook = byWebhook.get(webhookId) ?? { siteId, signalIds: [] }
        ofWebhook.signalIds.push(fromKeyToken(token))
        byWebhook.set(webhookId, ofWebhook)
      }
      return byWebhook
    },
    async read(siteId, webhookId, signalId) {
      const entry = await bucket.get(letterKey(partition, siteId, webhookId, signalId))
      if (entry?.operation !== 'PUT') return undefined
      const parsed = parseEntry(entry, parseWebhookLetter)
      if (parsed.ok) return parsed.value
      skipEntry(log, BUCKETS.webhookLetters, { revision: entry.revision }, parsed.reason)
      return undefined
    },
    async write(webhookId, envelope, { seq, index, signalId, signal, error, status, attempts }, failedAt) {
      const letter: WebhookLetter = {
        ...{ stream: STREAMS.signals.name, seq, index, signalId, signal, error, status, attempts, failedAt },
        encoding: 'text',
        payload: JSON.stringify(envelope),
      }
      await bucket.put(letterKey(partition, envelope.siteId, webhookId, signalId), JSON.stringify(letter))
    },
    async remove(siteId, webhookId, signalId) {
      const entry = await bucket.get(letterKey(partition, siteId, webhookId, signalId))
      // By its number in the stream, which leaves no mark behind.
      if (entry)
        await manager.streams
          .deleteMessage(bucketStream(BUCKETS.webhookLetters), entry.revision, true)
          .catch(ignoreMissing)
    },
  }
}

/** Returns the signals that a letter or a message of the stream carries; undefined: it carries none. */
export function envelopeOf({ payload }: { payload: string | Uint8Array }): SignalEnvelope | undefined {
  const parsed = parseStored(payload, parseSignalEnvelope)
  return parsed.ok ? parsed.value : undefined
}
