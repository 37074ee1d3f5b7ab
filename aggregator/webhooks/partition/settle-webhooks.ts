import type { DeclaredWebhook, DeclaredWebhooks } from '../declared/watch-webhooks.js'
import type { LetterStore } from '../store/letter-store.js'
import type { PositionStore } from '../store/position-store.js'
import { type PartitionState, restoredWebhook, type WebhookState } from './partition-state.js'
import type { SignalSource } from './signal-source.js'

export interface SettleDeps {
  source: Pick<SignalSource, 'end' | 'since'>
  positions: Pick<PositionStore, 'remove'>
  letters: Pick<LetterStore, 'remove'>
  declared: Pick<DeclaredWebhooks, 'all' | 'of'>
}

/** Brings a partition's webhooks to those that are declared. Done again after a failure, it goes on from there. */
export async function settleWebhooks(state: PartitionState, deps: SettleDeps): Promise<void> {
  const { declared } = deps
  for (const webhook of declared.all()) {
    const each = state.webhooks.get(webhook.webhookId)
    if (each) each.webhook = webhook
    else await add(state, webhook, deps)
  }
  for (const [webhookId, each] of state.webhooks) if (!declared.of(webhookId)) await remove(state, each, deps)
}

async function add(state: PartitionState, webhook: DeclaredWebhook, { source }: SettleDeps): Promise<void> {
  // The first one: nothing was read for others.
  if (state.webhooks.size === 0) state.through = Math.max(state.through, await source.end())
  const since = source.since(webhook.since)
  const none = { value: undefined, revision: 0 }
  const each = restoredWebhook(webhook, none, { since, end: Number.MAX_SAFE_INTEGER, through: undefined })
  each.isLive = since >= state.through
  state.webhooks.set(webhook.webhookId, each)
}

async function remove(state: PartitionState, each: WebhookState, { positions, letters }: SettleDeps): Promise<void> {
  const { webhook, ending, revision } = each
  ending.abort()
  if (revision > 0) await positions.remove(revision)
  for (const signalId of each.letters) await letters.remove(webhook.siteId, webhook.webhookId, signalId)
  state.webhooks.delete(webhook.webhookId)
}
