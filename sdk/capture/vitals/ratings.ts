/** Names of the measured Web Vitals, with the values up to which they are good, and from which they are poor. */
const LIMITS = {
  CLS: [0.1, 0.25],
  FCP: [1_800, 3_000],
  INP: [200, 500],
  LCP: [2_500, 4_000],
  TTFB: [800, 1_800],
} as const

export type Vital = keyof typeof LIMITS

/** Rates a value as https://web.dev/articles/vitals does: in milliseconds, save of CLS. */
export function ratingOf(name: Vital, value: number): 'good' | 'needs-improvement' | 'poor' {
  const [good, poor] = LIMITS[name]
  return value > poor ? 'poor' : value > good ? 'needs-improvement' : 'good'
}
