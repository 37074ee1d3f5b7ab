/** Options of `init`. Only `writeKey` is needed. */
export interface Options {
  /** Write key of the site. Public: it allows writing, not reading. */
  writeKey: string
  /**
   * Origin of the collector, e.g. `https://collector.example`. Default: the page's own origin; for the script tag, the
   * origin the script came from.
   */
  endpoint?: string
  /** Messages waiting that start a send at once. Default 20. Lower: sooner and more requests. */
  flushAt?: number
  /** Longest time a message waits for company before it is sent, in milliseconds. Default 1000. */
  flushInterval?: number
  /**
   * Largest batch, in bytes of its JSON text. Default 60,000, so that any batch fits the 64 KiB that browsers allow for
   * requests that outlive their page. Larger batches mean fewer requests, but only reach the collector while the page lives.
   */
  maxBatchBytes?: number
  /** Most messages kept while the collector can't be reached. Default 10,000. Beyond it the oldest are dropped and counted as `queue_full`. */
  maxQueueMessages?: number
  /** Age at which an undelivered message is dropped and counted as `expired`, in milliseconds. Default 7 days, as far back as the server finds duplicates. */
  maxQueueAge?: number
  /** Pause after which the next message begins a new session, in milliseconds. Default 30 minutes. */
  sessionTimeout?: number
  /** Age at which a session ends even without a pause, in milliseconds. Default 24 hours. */
  sessionMaxAge?: number
  /** Default deadline of `personalize` and of `data-slot` elements, in milliseconds. Default 300. */
  slotTimeout?: number
  /** Sends `page` at start and whenever the path changes through the history API. Default true. Set false to call `page()` yourself. */
  autoPage?: boolean
  /** Fills `[data-slot]` elements once the document is parsed. Default true. */
  autoSlots?: boolean
  /** Tracks `Page Engaged`: active time and scroll depth. Default true. */
  engagement?: boolean
  /** Tracks `Web Vital`: CLS, INP, LCP, FCP, TTFB. Default true. */
  webVitals?: boolean
  /** Writes to the console what the SDK does, and asks the server for the reasons of its decisions. Default false. */
  debug?: boolean
}

export type Settings = Required<Options>

/** Fills in the defaults. `origin` is the page's own. */
export function settle(options: Options, origin: string): Settings {
  const settings: Settings = {
    endpoint: origin,
    flushAt: 20,
    flushInterval: 1_000,
    maxBatchBytes: 60_000,
    maxQueueMessages: 10_000,
    maxQueueAge: 7 * 86_400_000,
    sessionTimeout: 30 * 60_000,
    sessionMaxAge: 86_400_000,
    slotTimeout: 300,
    autoPage: true,
    autoSlots: true,
    engagement: true,
    webVitals: true,
    debug: false,
    // An option that is present but undefined, as wrappers pass it, means its default.
    ...(Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as unknown as Options),
  }
  settings.endpoint = settings.endpoint.replace(/\/+$/, '')
  return settings
}
