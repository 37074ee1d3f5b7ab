import type { MessageContext } from '@slotstream/protocol'
import { bytesOf } from '../platform/bytes.js'
import { jsonOf } from '../platform/json.js'
import { VERSION } from '../version.js'
import { ofDocument } from './of-document.js'
import type { View } from './view.js'

/** Parameters that advertisers add to a URL: `utm_…` says which campaign, a click id which click. */
const CAMPAIGN = /^utm_(?!__proto__).|clc?k?id$|^([gw]braid|li_fat_id|epik)$/

/**
 * Returns the campaign and the click that a page's query names, or undefined: `utm_campaign` is `name`, `gclid` stays
 * `gclid`.
 */
export function campaignOf(search: string): Record<string, string> | undefined {
  let campaign: Record<string, string> | undefined
  for (const [parameter, value] of new URLSearchParams(search))
    if (value && CAMPAIGN.test(parameter))
      campaign = {
        ...campaign,
        [parameter.replace('utm_campaign', 'name').replace('utm_', '')]: value.slice(0, MAX_TITLE),
      }
  return campaign
}

/**
 * Longest address and title that a message has, in characters: what is longer is cut, and a page says so by
 * `shortened`.
 */
const MAX_URL = 2_048
const MAX_TITLE = 512

/**
 * Describes the page as Segment's spec does: that of the document, or, of a view that has ended, as it was.
 *
 * @param hashed whether the fragment belongs to the path
 */
export function pageOf(view: View, hashed?: boolean) {
  const { href, pathname, search, hash } = view.title === undefined ? location : new URL(view.url)
  const title = view.title ?? ofDocument('title')
  const cut = (text: string) => text.slice(0, MAX_URL)
  return {
    url: cut(href),
    path: cut(pathname + (hashed ? hash : '')),
    referrer: cut(view.referrer),
    search: cut(search),
    title: title.slice(0, MAX_TITLE),
    shortened: href.length > MAX_URL || title.length > MAX_TITLE || undefined,
  }
}

/** Context of a message: as an object for listeners, and as the JSON text that is sent. */
export interface Context {
  context: MessageContext
  text: string
  /** Length of the text. Most messages share their context: measuring it once halves what a message costs. */
  bytes: number
}

/** Makes contexts, a new one only when something in it changed: most of a message's cost would be its context. */
export function createContexts(hashed: boolean): (view: View, sessionId: string, signature?: string) => Context {
  let latest: Context | undefined
  let inputs: unknown[] = []
  return (view, sessionId, signature) => {
    const now = [view, view.title, sessionId, signature, location.href, ofDocument('title')]
    if (latest && now.every((input, index) => input === inputs[index])) return latest
    inputs = now
    const context = {
      library: { name: 'slotstream', version: VERSION },
      page: pageOf(view, hashed),
      campaign: campaignOf(location.search),
      identity: signature ? { signature } : undefined,
      userAgent: navigator.userAgent,
      locale: navigator.language,
      // Hours and days of features are those of the visitor.
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      sessionId,
      pageViewId: view.pageViewId,
    }
    const text = jsonOf(context)
    latest = { context, text, bytes: bytesOf(text) }
    return latest
  }
}
