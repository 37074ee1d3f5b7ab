import { createLimits } from '../delivery/send/limits.js'
import { createSending } from '../delivery/send/sending.js'
import { followRoutes } from './capture/routes.js'
import type { LaterName, Loadable } from './loadable.js'

/**
 * Loads a plugin or module, each from a file of its own: what isn't switched on isn't loaded. The sender is here: every
 * page needs it.
 */
export async function laterPlugin(name: LaterName): Promise<Loadable[LaterName]> {
  switch (name) {
    case 'backgroundSync':
      return (await import('./tools/background-sync.js')).backgroundSync
    case 'clicks':
      return (await import('./capture/clicks.js')).clicks
    case 'debug':
      return (await import('./tools/debug.js')).debug
    case 'downloads':
      return (await import('./capture/downloads.js')).downloads
    case 'elementViews':
      return (await import('./capture/element-views.js')).elementViews
    case 'engagement':
      return (await import('./capture/engagement.js')).engagement
    case 'filler':
      return (await import('./content/filler.js')).createFiller
    case 'errors':
      return (await import('./capture/errors.js')).errors
    case 'firstSlot':
      return (await import('../slots/first-slot.js')).firstSlot
    case 'forms':
      return (await import('./capture/forms.js')).forms
    case 'impressions':
      return (await import('./content/impressions.js')).impressions
    case 'lease':
      return (await import('../delivery/send/lease.js')).createLease
    case 'limits':
      return createLimits
    case 'linkDomains':
      return (await import('./capture/link-domains.js')).linkDomains
    case 'linkedId':
      return (await import('./capture/linked-id.js')).linkedId
    case 'memoryTables':
      return (await import('../delivery/database/memory-tables.js')).createMemoryTables
    case 'outboundLinks':
      return (await import('./capture/outbound-links.js')).outboundLinks
    case 'preview':
      return (await import('./tools/preview.js')).preview
    case 'rawHtml':
      return (await import('../slots/render/raw-html.js')).setHtml
    case 'routes':
      return followRoutes
    case 'sending':
      return createSending
    case 'sessionFeatures':
      return (await import('../features/count-session.js')).countSession
    case 'slotServices':
      return (await import('./content/slot-services.js')).slotServices
    case 'undoCopy':
      return (await import('../slots/render/undo-copy.js')).undoCopy
    case 'webVitals':
      return (await import('./capture/web-vitals.js')).webVitals
  }
}
