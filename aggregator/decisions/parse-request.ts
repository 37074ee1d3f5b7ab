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
 * A request on `decide.<partition>`. Collectors have checked what the browser sent; what is looked at here is what
 * another version of the collector, or a foreign program, could get wrong. Undefined when it can't be answered.
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
    // They become a key of the bucket of profiles, which is read until it answers.
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
