import {
  type Check,
  type DecideRequest,
  isCount,
  isObject,
  isSiteId,
  isVisitorId,
  MAX_ITEMS,
  MAX_SLOTS,
  parseStored,
} from '@slotstream/protocol'

/**
 * Parses a request on `decide.<partition>`. Collectors have checked what the browser sent; this checks what another
 * version of the collector, or another program, could get wrong. Undefined: it cannot be answered
 */
export function parseRequest(data: Uint8Array): DecideRequest | undefined {
  const parsed = parseStored(data, parse)
  return parsed.ok ? parsed.value : undefined
}

function parse(raw: unknown): Check<DecideRequest> {
  const { siteId, visitorId, anonymousId, userId, slots, context, after, deadlineMs, preview } = (raw ?? {}) as {
    [Field in keyof DecideRequest]?: unknown
  }
  const isUsable =
    // These become a key of the bucket of profiles: with an invalid one, reading would be retried forever.
    isSiteId(siteId) &&
    isVisitorId(visitorId) &&
    typeof anonymousId === 'string' &&
    (userId === undefined || typeof userId === 'string') &&
    Array.isArray(slots) &&
    slots.length <= MAX_SLOTS &&
    slots.every(isSlotRequest) &&
    (context === undefined || (typeof context === 'object' && context !== null)) &&
    isCount(after) &&
    typeof deadlineMs === 'number' &&
    (preview === undefined || isPreview(preview))
  return isUsable ? { ok: true, value: raw as DecideRequest } : { ok: false, reason: 'it is no request for decisions' }
}

function isPreview(preview: unknown): boolean {
  if (!isObject(preview)) return false
  const { show } = preview
  return show === undefined || (isObject(show) && Object.values(show).every(ids => Array.isArray(ids)))
}

function isSlotRequest(slot: { id?: unknown; count?: unknown } | null): boolean {
  if (typeof slot?.id !== 'string') return false
  return slot.count === undefined || (isCount(slot.count) && slot.count >= 1 && slot.count <= MAX_ITEMS)
}
