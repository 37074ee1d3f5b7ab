import type { PositionStore } from '../store/position-store.js'
import type { PartitionState } from './partition-state.js'

/**
 * Stores how far a partition is. The position of the partition comes last: what it says was taken is then in a stored
 * position of its webhook, delivered, or a dead letter.
 *
 * @throws LostPosition when another process has the partition; other errors: call it again
 */
export async function storeState(state: PartitionState, positions: PositionStore): Promise<void> {
  const { through, stored } = state
  for (const each of state.webhooks.values()) {
    if (!each.isChanged) continue
    const { webhook, isLive, takenThrough, queue, revision } = each
    each.isChanged = false
    try {
      const position = { ...(!isLive && { through: takenThrough }), pending: queue.all() }
      each.revision = await positions.writeWebhook(webhook.webhookId, position, revision)
    } catch (error) {
      each.isChanged = true
      throw error
    }
  }
  // Without webhooks it does not move, and none goes on from there.
  if (through !== stored.through && state.webhooks.size > 0)
    state.stored = { through, revision: await positions.writeThrough(through, stored.revision) }
}
