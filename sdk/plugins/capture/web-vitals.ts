import { type Metric, onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals'
import type { Client } from '../../client/client.js'

/** Tracks `Web Vital` for each metric when its value is final. */
export function webVitals({ track }: Client): () => void {
  let on = true
  const report = ({ name, value, rating, id }: Metric) => {
    if (on) track('Web Vital', { name, value, rating, id })
  }
  for (const observe of [onCLS, onFCP, onINP, onLCP, onTTFB]) observe(report)
  return () => {
    on = false
  }
}
