import { randomBytes } from 'node:crypto'
import type { KV } from '@nats-io/kv'
import {
  isWebhookId,
  parseStoredWebhook,
  type StoredWebhook,
  streamParts,
  uuidv7,
  webhookKey,
} from '@slotstream/protocol'
import { type Buckets, bucketKeys, type Nats, type Privacy, readLayout, readValue } from '@slotstream/runtime'
import type { WebhookDeclaration } from './check-webhook.js'

/** Bytes of a secret, as Standard Webhooks advises. */
const SECRET_BYTES = 32

/** The webhooks of sites, in the bucket `webhooks`. */
export interface WebhookStore {
  /** Lists the webhooks of a site, the oldest first. */
  list(siteId: string): Promise<StoredWebhook[]>
  /** Resolves to a webhook; undefined: there is none of the id. */
  read(siteId: string, webhookId: string): Promise<StoredWebhook | undefined>
  /** Stores a webhook, which gets what is signalled from now on. Resolves to it, with its secret. */
  create(siteId: string, declaration: WebhookDeclaration): Promise<{ webhook: StoredWebhook; secret: string }>
  /** Resolves to false when there is none of the id. */
  remove(siteId: string, webhookId: string): Promise<boolean>
  removeAll(siteId: string): Promise<void>
}

/** Creates the store. Secrets are encrypted with the installation's key. */
export function createWebhookStore(
  nats: Pick<Nats, 'manager'>,
  { webhooks: bucket, meta }: Pick<Buckets, 'webhooks' | 'meta'>,
  privacy: Pick<Privacy, 'seal'>,
): WebhookStore {
  async function read(siteId: string, webhookId: string): Promise<StoredWebhook | undefined> {
    if (!isWebhookId(webhookId)) return undefined
    return (await readValue(bucket, webhookKey({ siteId, webhookId }), parseStoredWebhook)).value
  }

  const idsOf = async (siteId: string) =>
    (await bucketKeys(bucket, `${siteId}.*`)).map(key => key.slice(siteId.length + 1))

  return {
    async list(siteId) {
      const webhooks = await Promise.all((await idsOf(siteId)).map(webhookId => read(siteId, webhookId)))
      return webhooks.filter(webhook => webhook !== undefined).sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1))
    },
    read,
    async create(siteId, { url, signals }) {
      const secret = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`
      const webhook: StoredWebhook = {
        webhookId: uuidv7(),
        siteId,
        url,
        signals,
        createdAt: new Date().toISOString(),
        sealedSecret: privacy.seal(secret),
        since: await endsOfSignals(nats, meta),
      }
      await bucket.create(webhookKey(webhook), JSON.stringify(webhook))
      return { webhook, secret }
    },
    async remove(siteId, webhookId) {
      if (!(await read(siteId, webhookId))) return false
      await bucket.purge(webhookKey({ siteId, webhookId }))
      return true
    },
    async removeAll(siteId) {
      for (const webhookId of await idsOf(siteId)) await bucket.purge(webhookKey({ siteId, webhookId }))
    },
  }
}

/**
 * Returns the last sequence of each stream that takes signals now. The layout may have changed since this process
 * began.
 */
async function endsOfSignals({ manager }: Pick<Nats, 'manager'>, meta: KV): Promise<Record<string, number>> {
  const read = await readLayout(meta)
  if (!read) throw new Error('there is no installation')
  const { streams, partitions, past } = read.layout
  const parts = streamParts('signals', streams.signals, partitions, past.signals)
  const ends = await Promise.all(
    parts.map(async ({ name }) => [name, (await manager.streams.info(name)).state.last_seq]),
  )
  return Object.fromEntries(ends)
}
