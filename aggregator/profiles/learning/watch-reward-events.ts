import type { KV } from '@nats-io/kv'
import { ANY_EVENT, eventNameOf } from '@slotstream/core'
import { isObject } from '@slotstream/protocol'
import { type Log, type Nats, watchBucket } from '@slotstream/runtime'
import type { ForwardEnvelope } from '../apply/apply-step.js'

/** Events of each site that decisions may be rewarded for, or that end what is shown. */
export interface RewardEvents {
  /** Returns the messages of such an event; undefined where there is none. */
  select(envelope: ForwardEnvelope): ForwardEnvelope | undefined
  stop(): void
}

/**
 * Watches the catalog for the events that its rewards and content name. They only save the forwarding of messages that
 * reward nothing, so items that are not valid are read as well. Resolves when the present ones are known.
 */
export async function watchRewardEvents(nats: Nats, catalog: KV, log: Log): Promise<RewardEvents> {
  /** Events by site, and by key of the item that names them. */
  const sites = new Map<string, Map<string, string[]>>()
  /** All events of a site, since its last change. */
  const eventsBySite = new Map<string, ReadonlySet<string>>()

  function take(key: string, item: unknown): void {
    const siteId = key.split('.')[0]!
    eventsBySite.delete(siteId)
    const items = sites.get(siteId) ?? new Map<string, string[]>()
    const events = eventsOf(item)
    if (events.length > 0) items.set(key, events)
    else items.delete(key)
    if (items.size > 0) sites.set(siteId, items)
    else sites.delete(siteId)
  }

  const watching = await watchBucket(
    nats,
    catalog,
    entry => take(entry.key, entry.operation === 'PUT' ? parsed(entry) : undefined),
    log,
  )
  return {
    select(envelope) {
      const { siteId } = envelope
      const events = eventsBySite.get(siteId) ?? new Set([...(sites.get(siteId)?.values() ?? [])].flat())
      eventsBySite.set(siteId, events)
      const messages = envelope.messages.filter(message => events.has(ANY_EVENT) || events.has(eventNameOf(message)))
      return messages.length > 0 ? { ...envelope, messages } : undefined
    },
    stop: () => watching.stop(),
  }
}

/** Returns the events that a slot or content names. */
function eventsOf(item: unknown): string[] {
  if (!isObject(item)) return []
  const rewards = Array.isArray(item.rewards) ? item.rewards.filter(isObject) : []
  return [item.stopAfter, ...rewards.map(({ event }) => event)].filter(event => typeof event === 'string')
}

function parsed(entry: { json<T>(): T }): unknown {
  try {
    return entry.json()
  } catch {
    return undefined
  }
}
