/** Content of a preview link: made by an administrator, carried by a page, read by the collector. */
export interface PreviewLink {
  siteId: string
  /** Visitor as whom slots are decided. Absent: the visitor of the page. */
  as?: { anonymousId?: string; userId?: string }
  /** Content that slots show whatever their policy says, by slot. */
  show?: Record<string, string[]>
  /** Until when it is valid, in milliseconds since the epoch. */
  expiresAt: number
}

/** Parameter of a page's URL that carries the token of a preview link. */
export const PREVIEW_PARAMETER = 'slotstream_preview'

/** Validity of a preview link where none is said, and the longest, as durations. */
export const DEFAULT_PREVIEW_VALIDITY = '1h'
export const MAX_PREVIEW_VALIDITY = '7d'

/** Characters of the token of a preview link, at most. */
export const MAX_PREVIEW_TOKEN_LENGTH = 8_192
