import { countSession } from '../features/count-session.js'
import { clicks as ownClicks } from '../plugins/capture/clicks.js'
import { downloads as ownDownloads } from '../plugins/capture/downloads.js'
import { elementViews as ownElementViews } from '../plugins/capture/element-views.js'
import { engagement as ownEngagement } from '../plugins/capture/engagement.js'
import { errors as ownErrors } from '../plugins/capture/errors.js'
import { forms as ownForms } from '../plugins/capture/forms.js'
import { linkDomains as ownLinkDomains } from '../plugins/capture/link-domains.js'
import { outboundLinks as ownOutboundLinks } from '../plugins/capture/outbound-links.js'
import { pageViews as ownPageViews } from '../plugins/capture/page-views.js'
import { webVitals as ownWebVitals } from '../plugins/capture/web-vitals.js'
import { impressions as ownImpressions } from '../plugins/content/impressions.js'
import { slots as ownSlots } from '../plugins/content/slots.js'
import { backgroundSync as ownBackgroundSync } from '../plugins/tools/background-sync.js'
import type { Part } from '../types.js'

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

/** `Page Error`: uncaught errors and rejections. */
export const errors: Part = ownErrors

/** `Form Submitted`: which form, nothing of its content. */
export const forms: Part = ownForms

/** `Slot Viewed` and `Slot Clicked`: what is seen of decided content. */
export const impressions: Part = ownImpressions

/** Takes visitors along to the domains of the option `linkDomains`. */
export const linkDomains: Part = ownLinkDomains

/** `Outbound Link Clicked`: links to other sites. */
export const outboundLinks: Part = ownOutboundLinks

/** Page views, at start and on every change of the path. */
export const pageViews: Part = ownPageViews

/** Keeps the features of the session, see `slotstream/session-features`. */
export const sessionFeatures: Part = countSession

/** Fills `[data-slot]` elements. */
export const slots: Part = ownSlots

/** `Web Vital`: CLS, INP, LCP, FCP, TTFB. */
export const webVitals: Part = ownWebVitals
