import { pause } from '@slotstream/runtime'
import type { DeclaredWebhook } from '../declared/watch-webhooks.js'
import type { LetterStore } from '../store/letter-store.js'
import type { PositionStore } from '../store/position-store.js'
import { type PartitionState, restoredWebhook } from './partition-state.js'
import type { SignalSource } from './signal-source.js'

/** A stream's new leader may not have all of it for a moment: time between two looks, in milliseconds, and how many. */
const LOOK_MS = 250
const END_LOOKS = 12

export interface LoadDeps {
  index: number
  source: Pick<SignalSource, 'end' | 'since'>
  positions: PositionStore
  letters: Pick<LetterStore, 'all' | 'remove'>
  declared: readonly DeclaredWebhook[]
}

/** Reads how far a partition is, and removes what is left of webhooks that were deleted meanwhile. */
export async function loadPartition({
  index,
  source,
  positions,
  letters,
  declared,
}: LoadDeps): Promise<PartitionState> {
  const { value: stored, revision } = await positions.readThrough()
  const storedPositions = await positions.readWebhooks()
  const ofLetters = await letters.all()
  const end = await endOf(source, stored ?? 0)
  const through = stored === undefined ? undefined : Math.min(stored, end)
  const state: PartitionState = {
    index,
    webhooks: new Map(),
    through: through ?? end,
    stored: { through: stored ?? -1, revision },
  }
  for (const webhook of declared) {
    const { webhookId } = webhook
    const position = storedPositions.get(webhookId) ?? { value: undefined, revision: 0 }
    const each = restoredWebhook(webhook, position, { since: source.since(webhook.since), end, through })
    each.letters = new Set(ofLetters.get(webhookId)?.signalIds)
    state.webhooks.set(webhookId, each)
  }
  // Without one that goes on from there, nothing in between is of use to any.
  if (![...state.webhooks.values()].some(({ isLive }) => isLive)) state.through = end
  for (const [webhookId, position] of storedPositions)
    if (!state.webhooks.has(webhookId)) await positions.remove(position.revision)
  for (const [webhookId, { siteId, signalIds }] of ofLetters)
    if (!state.webhooks.has(webhookId))
      for (const signalId of signalIds) await letters.remove(siteId, webhookId, signalId)
  return state
}

async function endOf(source: Pick<SignalSource, 'end'>, least: number): Promise<number> {
  let end = await source.end()
  for (let look = 0; end < least && look < END_LOOKS; look++) {
    await pause(LOOK_MS)
    end = await source.end()
  }
  return end
}
