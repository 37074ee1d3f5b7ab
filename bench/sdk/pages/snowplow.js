import { newTracker, trackSelfDescribingEvent } from '@snowplow/browser-tracker'

export const start = origin => newTracker('t', origin, { appId: 'demo' })
export const track = (event, properties) =>
  trackSelfDescribingEvent({
    event: { schema: 'iglu:com.example/event/jsonschema/1-0-0', data: { event, ...properties } },
  })
