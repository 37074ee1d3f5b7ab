import { createSending } from './delivery/sending.js'
import type { LaterPartName, Loadable } from './part-names.js'

/** Each part in a file of its own: what isn't switched on isn't loaded. What sends is here: every page needs it. */
export async function laterPart(name: LaterPartName): Promise<Loadable[LaterPartName]> {
  switch (name) {
    case 'backgroundSync':
      return (await import('./parts/background-sync.js')).backgroundSync
    case 'clicks':
      return (await import('./parts/clicks.js')).clicks
    case 'debug':
      return (await import('./parts/debug.js')).debug
    case 'downloads':
      return (await import('./parts/downloads.js')).downloads
    case 'elementViews':
      return (await import('./parts/element-views.js')).elementViews
    case 'engagement':
      return (await import('./parts/engagement.js')).engagement
    case 'errors':
      return (await import('./parts/errors.js')).errors
    case 'firstSlot':
      return (await import('./slots/first-slot.js')).firstSlot
    case 'forms':
      return (await import('./parts/forms.js')).forms
    case 'impressions':
      return (await import('./parts/impressions.js')).impressions
    case 'lease':
      return (await import('./delivery/lease.js')).createLease
    case 'linkDomains':
      return (await import('./parts/link-domains.js')).linkDomains
    case 'linkedId':
      return (await import('./parts/linked-id.js')).linkedId
    case 'memoryTables':
      return (await import('./delivery/memory-tables.js')).createMemoryTables
    case 'outboundLinks':
      return (await import('./parts/outbound-links.js')).outboundLinks
    case 'renderHtml':
      return (await import('./parts/render-html.js')).renderHtml
    case 'renderItem':
      return (await import('./parts/render-item.js')).renderItem
    case 'sending':
      return createSending
    case 'webVitals':
      return (await import('./parts/web-vitals.js')).webVitals
  }
}
