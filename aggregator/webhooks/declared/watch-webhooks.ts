import type { KV } from '@nats-io/kv'
import { type Check, parseStoredWebhook, type StoredWebhook, webhookKey } from '@slotstream/protocol'
import { type Log, type Nats, type Privacy, usableValue, watchBucket } from '@slotstream/runtime'

/** A webhook that a site has declared, with its secret. */
export interface DeclaredWebhook extends Omit<StoredWebhook, 'sealedSecret'> {
  /** Secret in the form that receivers have: `whsec_` and Base64. */
  secret: string
}

/** The webhooks of all sites, kept up to date from their bucket. */
export interface DeclaredWebhooks {
  all(): DeclaredWebhook[]
  of(webhookId: string): DeclaredWebhook | undefined
  stop(): void
}

/** Follows the webhooks. Resolves when those that there are now are known. @param changed called after each change */
export async function watchWebhooks(
  nats: Nats,
  bucket: KV,
  privacy: Pick<Privacy, 'unseal'>,
  changed: () => void,
  log: Log,
): Promise<DeclaredWebhooks> {
  const byKey = new Map<string, DeclaredWebhook>()
  const parse = (raw: unknown) => opened(parseStoredWebhook(raw), privacy)
  const watching = await watchBucket(
    nats,
    bucket,
    entry => {
      const webhook = entry.operation === 'PUT' ? usableValue('webhooks', entry, parse, log) : undefined
      if (webhook && webhookKey(webhook) === entry.key) byKey.set(entry.key, webhook)
      else byKey.delete(entry.key)
      changed()
    },
    log,
  )
  return {
    all: () => [...byKey.values()],
    of: webhookId => [...byKey.values()].find(webhook => webhook.webhookId === webhookId),
    stop: () => watching.stop(),
  }
}

function opened(checked: Check<StoredWebhook>, privacy: Pick<Privacy, 'unseal'>): Check<DeclaredWebhook> {
  if (!checked.ok) return checked
  const { sealedSecret, ...webhook } = checked.value
  try {
    return { ok: true, value: { ...webhook, secret: privacy.unseal(sealedSecret) } }
  } catch {
    return { ok: false, reason: 'its secret cannot be decrypted' }
  }
}
