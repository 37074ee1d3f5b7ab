import { type Metric, onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals'
import type { PluginApi } from '../../client/plugin-api.js'

/**
 * Tracks `Web Vital` for each metric when its value is final. They are measured from the load of the document, so they
 * belong to the page view that it began, also when it ends after other routes; out of the back/forward cache they are
 * measured anew.
 */
export function webVitals({ track, listeners, view }: PluginApi): () => void {
  let on = true
  let loaded = view()
  const report = ({ name, value, rating, id }: Metric) => {
    if (on) track('Web Vital', { name, value, rating, id }, undefined, loaded)
  }
  // After the listener that begins the view.
  listeners.on(window, 'pageshow', event => {
    if ((event as PageTransitionEvent).persisted) loaded = view()
  })
  for (const observe of [onCLS, onFCP, onINP, onLCP, onTTFB]) observe(report)
  return () => {
    on = false
  }
}
