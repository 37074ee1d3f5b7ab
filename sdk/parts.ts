import { backgroundSync as ownBackgroundSync } from './parts/background-sync.js'
import { engagement as ownEngagement } from './parts/engagement.js'
import { pageViews as ownPageViews } from './parts/page-views.js'
import { slots as ownSlots } from './parts/slots.js'
import { webVitals as ownWebVitals } from './parts/web-vitals.js'
import type { Part } from './types.js'

/** Lets a service worker send what is left after the tab is gone. */
export const backgroundSync: Part = ownBackgroundSync

/** `Page Engaged`: active time and scroll depth. */
export const engagement: Part = ownEngagement

/** Page views, at start and on every change of the path. */
export const pageViews: Part = ownPageViews

/** Fills `[data-slot]` elements. */
export const slots: Part = ownSlots

/** `Web Vital`: CLS, INP, LCP, FCP, TTFB. */
export const webVitals: Part = ownWebVitals
