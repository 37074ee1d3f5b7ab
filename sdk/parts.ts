import { backgroundSync as ownBackgroundSync } from './parts/background-sync.js'
import { clicks as ownClicks } from './parts/clicks.js'
import { downloads as ownDownloads } from './parts/downloads.js'
import { elementViews as ownElementViews } from './parts/element-views.js'
import { engagement as ownEngagement } from './parts/engagement.js'
import { errors as ownErrors } from './parts/errors.js'
import { forms as ownForms } from './parts/forms.js'
import { impressions as ownImpressions } from './parts/impressions.js'
import { linkDomains as ownLinkDomains } from './parts/link-domains.js'
import { outboundLinks as ownOutboundLinks } from './parts/outbound-links.js'
import { pageViews as ownPageViews } from './parts/page-views.js'
import { slots as ownSlots } from './parts/slots.js'
import { webVitals as ownWebVitals } from './parts/web-vitals.js'
import type { Part } from './types.js'

/** Lets a service worker send what is left after the tab is gone. */
export const backgroundSync: Part = ownBackgroundSync
/** Clicks on `data-track` elements; with the option `clicks: 'auto'` on all links and buttons. */
export const clicks: Part = ownClicks

/** `File Downloaded`: links to files. */
export const downloads: Part = ownDownloads

/** `data-track-view` elements that were visible for a second. */
export const elementViews: Part = ownElementViews

/** `Page Engaged`: active time and scroll depth. */
export const engagement: Part = ownEngagement

/** `Page Error`: errors and rejections that nobody caught. */
export const errors: Part = ownErrors

/** `Form Submitted`: which form, nothing of what it holds. */
export const forms: Part = ownForms

/** `Slot Viewed` and `Slot Clicked`: what is seen of decided content. */
export const impressions: Part = ownImpressions

/** Takes visitors along to the domains of the option `linkDomains`. */
export const linkDomains: Part = ownLinkDomains

/** `Outbound Link Clicked`: links to other sites. */
export const outboundLinks: Part = ownOutboundLinks

/** Page views, at start and on every change of the path. */
export const pageViews: Part = ownPageViews

/** Fills `[data-slot]` elements. */
export const slots: Part = ownSlots

/** `Web Vital`: CLS, INP, LCP, FCP, TTFB. */
export const webVitals: Part = ownWebVitals
