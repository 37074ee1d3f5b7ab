import { AnalyticsBrowser } from '@segment/analytics-next'

let analytics
export const start = origin => {
  analytics = AnalyticsBrowser.load(
    { writeKey: 'demo', cdnURL: origin },
    { integrations: { 'Segment.io': { apiHost: `${new URL(origin).host}/v1`, protocol: 'http' } } },
  )
}
export const track = (event, properties) => analytics.track(event, properties)
