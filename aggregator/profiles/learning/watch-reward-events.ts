import type { KV } from '@nats-io/kv'
import { ANY_EVENT, eventNameOf } from '@slotstream/core'
import { isObject } from '@slotstream/protocol'
import { type Log, type Nats, watchBucket } from '@slotstream/runtime'
import type { ForwardEnvelope } from '../apply/apply-step.js'
import type { SitesDefinitions } from '../definitions/compiled-definitions.js'

/** Events of each site that decisions may be rewarded for, or that end what is shown. */
export interface RewardEvents {
  /** Returns the messages of such an event; undefined where there is none. */
  select(envelope: ForwardEnvelope): ForwardEnvelope | undefined
  /** Returns the events that end what is shown; undefined where there are none. */
  stopsOf(siteId: string): ReadonlySet<string> | undefined
  stop(): void
}

/** Events that an item of the catalog names. */
interface NamedEvents {
  stopAfter?: string
  rewards: string[]
}

/** Returns the definitions of sites with the events that end what each shows. */
export function withStopEvents(
  definitions: SitesDefinitions,
  { stopsOf }: Pick<RewardEvents, 'stopsOf'>,
): SitesDefinitions {
  return {
    ...definitions,
    of(siteId) {
      const stopEvents = stopsOf(siteId)
      const ofSite = definitions.of(siteId)
      return stopEvents ? { ...ofSite, stopEvents } : ofSite
    },
  }
}

/**
 * Watches the catalog for the events that its rewards and content name. They only save the forwarding of messages that
 * reward nothing, so items that are not valid are read as well. Resolves when the present ones are known.
 */
export async function watchRewardEvents(nats: Nats, catalog: KV, log: Log): Promise<RewardEvents> {
  /** Events by site, and by key of the item that names them. */
  const sites = new Map<string, Map<string, NamedEvents>>()
  /** All events of a site, since its last change. */
  const eventsBySite = new Map<string, { all: ReadonlySet<string>; stops: ReadonlySet<string> }>()

  function take(key: string, item: unknown): void {
    const siteId = key.split('.')[0]!
    eventsBySite.delete(siteId)
    const items = sites.get(siteId) ?? new Map<string, NamedEvents>()
    const events = eventsOf(item)
    if (events.stopAfter !== undefined || events.rewards.length > 0) items.set(key, events)
    else items.delete(key)
    if (items.size > 0) sites.set(siteId, items)
    else sites.delete(siteId)
  }

  function eventsOfSite(siteId: string) {
    const present = eventsBySite.get(siteId)
    if (present) return present
    const items = [...(sites.get(siteId)?.values() ?? [])]
    const stops = new Set(items.flatMap(({ stopAfter }) => stopAfter ?? []))
    const events = { all: new Set([...stops, ...items.flatMap(({ rewards }) => rewards)]), stops }
    eventsBySite.set(siteId, events)
    return events
  }

  const watching = await watchBucket(
    nats,
    catalog,
    entry => take(entry.key, entry.operation === 'PUT' ? parsed(entry) : undefined),
    log,
  )
  return {
    select(envelope) {
      const { all } = eventsOfSite(envelope.siteId)
      const messages = envelope.messages.filter(message => all.has(ANY_EVENT) || all.has(eventNameOf(message)))
      return messages.length > 0 ? { ...envelope, messages } : undefined
    },
    stopsOf(siteId) {
      if (!sites.has(siteId)) return undefined
      const { stops } = eventsOfSite(siteId)
      return stops.size > 0 ? stops : undefined
    },
    stop: () => watching.stop(),
  }
}

/** Returns the events that a slot or content names. */
function eventsOf(item: unknown): NamedEvents {
  if (!isObject(item)) return { rewards: [] }
  const rewards = Array.isArray(item.rewards) ? item.rewards.filter(isObject) : []
  return {
    ...(typeof item.stopAfter === 'string' && { stopAfter: item.stopAfter }),
    rewards: rewards.map(({ event }) => event).filter(event => typeof event === 'string'),
  }
}

function parsed(entry: { json<T>(): T }): unknown {
  try {
    return entry.json()
  } catch {
    return undefined
  }
}
