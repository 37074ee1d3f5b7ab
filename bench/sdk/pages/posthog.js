import posthog from 'posthog-js'

export const start = origin =>
  posthog.init('demo', {
    api_host: origin,
    autocapture: false,
    capture_pageview: false,
    disable_session_recording: true,
    advanced_disable_flags: true,
    // It would drop what a browser without a head sends, and all but the first hundred of a thousand events.
    opt_out_useragent_filter: true,
    rate_limiting: { events_per_second: 10_000, events_burst_limit: 10_000 },
  })
export const track = (event, properties) => posthog.capture(event, properties)
