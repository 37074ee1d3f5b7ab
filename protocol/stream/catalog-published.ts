import type { Check } from '../wire/checks/check.js'
import { isObject } from '../wire/checks/is-object.js'
import { isCount, isText, misfit } from '../wire/checks/parse-stored.js'

/**
 * Value of the bucket `catalog` that follows the slots and contents of a revision: who reads it has read all of them.
 * Absent: the site's catalog was stored before there were revisions.
 */
export interface CatalogPublished {
  /** Revision of the site's catalog as a whole. */
  revision: number
  /** When it was stored, ISO 8601. */
  at: string
}

/** Returns the key of a site's published revision in the bucket `catalog`. */
export function catalogPublishedKey(siteId: string): string {
  return `${siteId}.published`
}

/** Tells whether a key of the bucket `catalog` is that of a published revision. */
export function isCatalogPublishedKey(key: string): boolean {
  return key.endsWith('.published') && key.split('.').length === 2
}

/** Parses a site's published revision. */
export function parseCatalogPublished(raw: unknown): Check<CatalogPublished> {
  if (!isObject(raw) || !isCount(raw.revision) || !isText(raw.at)) return misfit('it is no revision of a catalog')
  return { ok: true, value: { revision: raw.revision, at: raw.at } }
}
