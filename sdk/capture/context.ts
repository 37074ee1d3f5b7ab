import type { MessageContext } from '@slotstream/protocol'
import { VERSION } from '../version.js'
import type { View } from './view.js'

/** Parameters that advertisers add to a URL: `utm_…` says which campaign, a click id which click. */
const CAMPAIGN = /^utm_.|clc?k?id$|^([gw]braid|li_fat_id|epik)$/

/**
 * The campaign and the click that a page's query names, or undefined: `utm_campaign` is `name`, `gclid` stays `gclid`.
 */
export function campaignOf(search: string): Record<string, string> | undefined {
  let found: Record<string, string> | undefined
  for (const [parameter, value] of new URLSearchParams(search))
    if (value && CAMPAIGN.test(parameter))
      found = { ...found, [parameter.replace('utm_campaign', 'name').replace('utm_', '')]: value }
  return found
}

/**
 * The page as Segment's spec describes it: that of the document, or, of a view that has ended, as it was.
 *
 * @param hashed whether the fragment belongs to the path
 */
export function pageOf(
  { url, title, referrer }: View,
  hashed?: boolean,
): { url: string; path: string; referrer: string; search: string; title: string } {
  const { href, pathname, search, hash } = title === undefined ? location : new URL(url)
  return { url: href, path: pathname + (hashed ? hash : ''), referrer, search, title: title ?? document.title }
}

/** Context of a message: as an object for listeners, and as the JSON text that is sent. */
export interface Context {
  context: MessageContext
  text: string
}

/** Makes contexts, a new one only when something in it changed: most of a message's cost would be its context. */
export function createContexts(hashed: boolean): (view: View, sessionId: string, signature?: string) => Context {
  let known: Context | undefined
  let inputs: unknown[] = []
  return (view, sessionId, signature) => {
    const now = [view, view.title, sessionId, signature, location.href, document.title]
    if (known && now.every((input, index) => input === inputs[index])) return known
    inputs = now
    const context = {
      library: { name: 'slotstream', version: VERSION },
      page: pageOf(view, hashed),
      campaign: campaignOf(location.search),
      identity: signature ? { signature } : undefined,
      userAgent: navigator.userAgent,
      locale: navigator.language,
      sessionId,
      pageViewId: view.pageViewId,
    }
    known = { context, text: JSON.stringify(context) }
    return known
  }
}
