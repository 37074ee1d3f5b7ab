import type { DecideRequest } from '@slotstream/protocol'

/**
 * A request on `decide.<partition>`. Collectors have checked what the browser sent; what is looked at here is what
 * another version of the collector, or a foreign program, could get wrong. Undefined when it can't be answered.
 */
export function parseRequest(data: Uint8Array): DecideRequest | undefined {
  let raw: unknown
  try {
    raw = JSON.parse(new TextDecoder().decode(data))
  } catch {
    return undefined
  }
  if (typeof raw !== 'object' || raw === null) return undefined
  const { siteId, visitorId, anonymousId, slots, after, deadlineMs } = raw as Partial<DecideRequest>
  const usable =
    [siteId, visitorId, anonymousId].every(id => typeof id === 'string') &&
    Array.isArray(slots) &&
    slots.every(slot => typeof slot?.id === 'string') &&
    typeof after === 'number' &&
    typeof deadlineMs === 'number'
  return usable ? (raw as DecideRequest) : undefined
}
