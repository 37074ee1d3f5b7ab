import {
  type Check,
  DEFAULT_PREVIEW_VALIDITY,
  isId,
  isObject,
  MAX_ITEMS,
  MAX_PREVIEW_VALIDITY,
  MAX_SLOTS,
  type PreviewLink,
  parseDuration,
} from '@slotstream/protocol'
import { unknownField } from '../strict/unknown-field.js'

const FIELDS = ['url', 'as', 'show', 'expiresIn']

/** A link to make: what it shows, and the page that it leads to. */
export interface WantedLink {
  link: PreviewLink
  /** The page's URL, if it is named. */
  url?: URL
}

/**
 * Checks the body of a request for a preview link.
 *
 * @param now milliseconds since the epoch
 */
export function checkPreviewLink(body: Record<string, unknown>, siteId: string, now: number): Check<WantedLink> {
  const { url, as, show, expiresIn = DEFAULT_PREVIEW_VALIDITY } = body
  const validFor = typeof expiresIn === 'string' ? parseDuration(expiresIn) : undefined
  const page = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined
  const trouble =
    unknownField(body, FIELDS) ??
    (as === undefined && show === undefined
      ? 'as and show are both missing: name a visitor, or content by slot'
      : undefined) ??
    (as === undefined ? undefined : visitorTrouble(as)) ??
    (show === undefined ? undefined : contentTrouble(show))
  if (trouble !== undefined) return { ok: false, reason: trouble }
  if (url !== undefined && !(page && /^https?:$/.test(page.protocol)))
    return { ok: false, reason: 'url must be the URL of a page, with https:// or http://' }
  if (validFor === undefined || validFor <= 0 || validFor > parseDuration(MAX_PREVIEW_VALIDITY)!)
    return { ok: false, reason: `expiresIn must be a duration such as "30m", at most ${MAX_PREVIEW_VALIDITY}` }
  const link = {
    siteId,
    ...(as !== undefined && { as }),
    ...(show !== undefined && { show }),
    expiresAt: now + validFor,
  }
  return { ok: true, value: { link: link as PreviewLink, ...(page && { url: page }) } }
}

function visitorTrouble(as: unknown): string | undefined {
  if (!isObject(as)) return 'as must be {"anonymousId": "…"} or {"userId": "…"}'
  const unknown = unknownField(as, ['anonymousId', 'userId'], 'as.')
  if (unknown !== undefined) return unknown
  const ids = Object.values(as)
  return ids.length > 0 && ids.every(isId) ? undefined : 'as must have the anonymousId or the userId of a visitor'
}

function contentTrouble(show: unknown): string | undefined {
  if (!isObject(show) || Object.keys(show).length === 0) return 'show must be {"<slot>": ["<content>", …]}'
  if (Object.keys(show).length > MAX_SLOTS) return `show has more than ${MAX_SLOTS} slots`
  for (const [slotId, contentIds] of Object.entries(show))
    if (
      !(Array.isArray(contentIds) && contentIds.length > 0 && contentIds.length <= MAX_ITEMS && contentIds.every(isId))
    )
      return `show.${slotId} must be a list of 1 to ${MAX_ITEMS} content ids`
  return undefined
}
