import type { FeatureDefinition, StoredMessage } from '@slotstream/protocol'
import { AGGREGATES } from '@slotstream/protocol'

/** Features of every aggregate and window, one by one and by key. */
export const ALL_KINDS: FeatureDefinition[] = AGGREGATES.flatMap(aggregate =>
  [
    {},
    { window: '1m' },
    { window: '24h' },
    { window: '1h', tumbling: true },
    { window: 'session' },
    ...(aggregate === 'count' || aggregate === 'sum' ? [{ halfLife: '1h' }] : []),
  ].flatMap((window, index) =>
    [{}, { by: 'properties.category', keys: 3 }].map((by, isKeyed) => ({
      name: `${aggregate}_${index}_${isKeyed}`,
      source: { events: { Viewed: 1, Bought: 3 } },
      value: 'properties.value',
      aggregate,
      ...window,
      ...by,
    })),
  ),
)

/** A message for tests: of an event at a time in milliseconds since the epoch. */
export function messageAt(
  at: number,
  event: string,
  properties: StoredMessage['properties'] = {},
  context: StoredMessage['context'] = {},
): StoredMessage {
  const isTrack = event !== 'page'
  return {
    messageId: `${event}-${at}-${JSON.stringify(properties)}`,
    type: isTrack ? 'track' : 'page',
    ...(isTrack && { event }),
    anonymousId: 'anna',
    timestamp: new Date(at).toISOString(),
    properties,
    context,
  }
}
