import { type Metric, onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals'
import type { PluginApi } from '../../client/plugin-api.js'

/** Tracks `Web Vital` for each metric when its value is final. */
export function webVitals({ track }: PluginApi): () => void {
  let on = true
  const report = ({ name, value, rating, id }: Metric) => {
    if (on) track('Web Vital', { name, value, rating, id })
  }
  for (const observe of [onCLS, onFCP, onINP, onLCP, onTTFB]) observe(report)
  return () => {
    on = false
  }
}
