import type { Client } from '../client/client.js'
import type { createMemoryTables } from '../delivery/database/memory-tables.js'
import type { createLease } from '../delivery/send/lease.js'
import type { createSending } from '../delivery/send/sending.js'
import type { firstSlot } from '../slots/first-slot.js'
import type { renderItem } from '../slots/render.js'
import type { linkedId } from './capture/linked-id.js'
import type { renderHtml } from './content/render-html.js'

/** Parts by the option that turns them on. */
export const PART_NAMES = [
  'autoPage',
  'engagement',
  'webVitals',
  'impressions',
  'autoSlots',
  'backgroundSync',
  'clicks',
  'downloads',
  'elementViews',
  'errors',
  'forms',
  'linkDomains',
  'outboundLinks',
] as const

export type PartName = (typeof PART_NAMES)[number] | 'debug'

/** Parts that nothing waits for. */
export type LaterPartName = Exclude<keyof Loadable, 'autoPage' | 'autoSlots'>

/**
 * A part of this package, which knows what it works with, and can load more.
 *
 * @param since when it was wanted, in milliseconds since the epoch; it may have had to load
 */
export type OwnPart = (client: Client, load: LoadPart, since?: number) => () => void

/** What can be loaded: parts, and what a part loads itself when it is needed. */
export type Loadable = Record<PartName, OwnPart> & {
  firstSlot: typeof firstSlot
  lease: typeof createLease
  linkedId: typeof linkedId
  memoryTables: typeof createMemoryTables
  renderHtml: typeof renderHtml
  renderItem: typeof renderItem
  sending: typeof createSending
}

/** Finds a part: at once where it is in the same file, else when it has loaded. */
export type LoadPart = <Name extends keyof Loadable>(name: Name) => Loadable[Name] | Promise<Loadable[Name]>
