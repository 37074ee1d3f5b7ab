import type { MessageContext } from '@slotstream/protocol'
import { VERSION } from '../version.js'
import type { View } from './view.js'

const CAMPAIGN = {
  utm_source: 'source',
  utm_medium: 'medium',
  utm_campaign: 'name',
  utm_term: 'term',
  utm_content: 'content',
}

/** The campaign that a page's query names, or undefined. */
export function campaignOf(search: string): Record<string, string> | undefined {
  if (!search.includes('utm_')) return undefined
  const query = new URLSearchParams(search)
  const found: Record<string, string> = {}
  for (const [parameter, field] of Object.entries(CAMPAIGN)) {
    const value = query.get(parameter)
    if (value) found[field] = value
  }
  return Object.keys(found).length ? found : undefined
}

/** The page as Segment's spec describes it. */
export function pageOf(view: View): { url: string; path: string; referrer: string; search: string; title: string } {
  const { href, pathname, search } = location
  return { url: href, path: pathname, referrer: view.referrer, search, title: document.title }
}

/** Where and how a message came about: as an object for listeners, and as the JSON text that is sent. */
export interface Context {
  context: MessageContext
  text: string
}

/** Makes contexts, a new one only when something in it changed: most of a message's cost would be its context. */
export function createContexts(): (view: View, sessionId: string) => Context {
  let known: Context | undefined
  let of: unknown[] = []
  return (view, sessionId) => {
    const now = [view, sessionId, location.href, document.title]
    if (known && now.every((part, index) => part === of[index])) return known
    of = now
    const campaign = campaignOf(location.search)
    const context = {
      library: { name: 'slotstream', version: VERSION },
      page: pageOf(view),
      ...(campaign && { campaign }),
      userAgent: navigator.userAgent,
      locale: navigator.language,
      sessionId,
      pageViewId: view.pageViewId,
    }
    known = { context, text: JSON.stringify(context) }
    return known
  }
}
