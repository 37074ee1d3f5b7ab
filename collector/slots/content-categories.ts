import type { KvEntry } from '@nats-io/kv'
import { checkContent, fromKeyToken } from '@slotstream/protocol'
import { parseEntry } from '@slotstream/runtime'

/** Tells the category of a site's content; undefined where the site has no such content. */
export type CategoryOf = (siteId: string, contentId: string) => string | undefined

/** The categories of all sites' content, kept up to date from the bucket `catalog`. */
export interface ContentCategories {
  of: CategoryOf
  apply(entry: Pick<KvEntry, 'key' | 'operation' | 'json'>): void
}

/** Creates an empty set of categories. Content that can't be used has none, as it is never shown. */
export function createContentCategories(): ContentCategories {
  const sites = new Map<string, Map<string, string>>()
  return {
    of: (siteId, contentId) => sites.get(siteId)?.get(contentId),
    apply(entry) {
      const [siteId = '', kind, token = ''] = entry.key.split('.')
      if (kind !== 'content') return
      const id = fromKeyToken(token)
      const content = entry.operation === 'PUT' ? parseEntry(entry, checkContent) : undefined
      const categories = sites.get(siteId) ?? new Map<string, string>()
      if (content?.ok) sites.set(siteId, categories.set(id, content.value.category))
      else categories.delete(id)
      if (categories.size === 0) sites.delete(siteId)
    },
  }
}
