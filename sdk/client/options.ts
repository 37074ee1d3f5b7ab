import type { Part, Properties } from '../types.js'
import type { ConsentChoice } from './consent.js'

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
   * requests that outlive their page. Larger batches mean fewer requests, but only reach the collector while the page
   * is open.
   */
  maxBatchBytes?: number
  /**
   * Most messages kept while the collector can't be reached. Default 10,000. Beyond it the oldest are dropped and
   * counted as `queue_full`.
   */
  maxQueueMessages?: number
  /**
   * Age at which an undelivered message is dropped and counted as `expired`, in milliseconds. Default 7 days, as far
   * back as the server finds duplicates.
   */
  maxQueueAge?: number
  /** Pause after which the next message begins a new session, in milliseconds. Default 30 minutes. */
  sessionTimeout?: number
  /** Age at which a session ends even without a pause, in milliseconds. Default 24 hours. */
  sessionMaxAge?: number
  /** Default deadline of `personalize` and of `data-slot` elements, in milliseconds. Default 300. */
  slotTimeout?: number
  /**
   * Sends `page` at start and whenever the path changes without a load. Default true. `hash`: the fragment belongs to
   * the path, as routers without a server of their own have it. Set false to call `page()` yourself.
   */
  autoPage?: boolean | 'hash'
  /** Fills `[data-slot]` elements once the document is parsed. Default true. */
  autoSlots?: boolean
  /**
   * Shows what a slot has shown last, a day ago at most, when the collector can't be reached: marked by `cachedAt`, and
   * not tracked again. Default true.
   */
  offlineSlots?: boolean
  /** Tracks `Slot Viewed` and `Slot Clicked` for elements that show decided content. Default true. */
  impressions?: boolean
  /**
   * Lets templates write payloads as HTML, by `data-html="key"`: only for catalogs whose every author you trust with
   * your pages. Default false.
   */
  rawHtml?: boolean
  /** Tracks `Page Engaged`: active time and scroll depth. Default true. */
  engagement?: boolean
  /** Tracks `Web Vital`: CLS, INP, LCP, FCP, TTFB. Default true. */
  webVitals?: boolean
  /**
   * Lets the page's service worker send what is left after the tab is gone, where the browser has Background Sync.
   * True: the page registers a worker itself, which has `slotstream/service-worker` in it. A path: that worker is
   * registered. Default false.
   */
  backgroundSync?: boolean | string
  /**
   * Tracks clicks on elements marked `data-track="Plan Chosen"` under that name, with their `data-track-…` properties.
   * `auto`: also, as `Element Clicked`, those on every other link and button, with its label but never what was typed.
   * Default false.
   */
  clicks?: boolean | 'auto'
  /** Tracks `File Downloaded` when a link to a file is followed. Default false. */
  downloads?: boolean
  /**
   * Tracks elements marked `data-track-view="Pricing Seen"` under that name when half was visible for a second. Default
   * false.
   */
  elementViews?: boolean
  /** Tracks `Page Error` for uncaught errors: each once, and at most ten, per page view. Default false. */
  errors?: boolean
  /** Tracks `Form Submitted` with the form's id and name, never its content. Default false. */
  forms?: boolean
  /** Tracks `Outbound Link Clicked` when a link to another site is followed. Default false. */
  outboundLinks?: boolean
  /**
   * Keeps the features of the visitor's session in the browser, for `slotstream/session-features` and
   * `slotstream:features`. Default false.
   */
  sessionFeatures?: boolean
  /**
   * Consent before the visitor was asked: both purposes, or each. Default `granted`. `pending` keeps messages in memory
   * until `consent` is called, and they are lost when the page ends before. A choice that was made by `consent` is
   * remembered and takes precedence over this option.
   */
  consent?: ConsentChoice
  /** Takes the browser's Global Privacy Control for `denied`, until the visitor chooses otherwise. Default false. */
  gpc?: boolean
  /** Takes the browser's Do Not Track for `denied`, until the visitor chooses otherwise. Default false. */
  dnt?: boolean
  /**
   * Stores nothing in the browser: ids, session and queue last as long as the page, so every page load is a new
   * visitor, and what could not be sent before its end is lost. Default false.
   */
  cookieless?: boolean
  /**
   * Takes the visitor's id from the cookie `slotstream_id` when the browser's storage has none. Your server sets it, or
   * the collector (`enrichment.idCookie` of the site): with `true` one on the page's own origin, with `include` also
   * one on another, which then has to name the page's origin in `allowedOrigins`, or nothing arrives. Default false.
   */
  idCookie?: boolean | 'include'
  /**
   * Takes the visitor's id from the URL, `slotstream_id=<id>.<time>`, as a link from another of your domains carries
   * it, and takes it out of the URL. Valid for two minutes. Default false.
   */
  linkedId?: boolean
  /**
   * Other domains of yours, which cover those below them: links to them carry the visitor's id, for a page with
   * `linkedId` to take over. A list, or a text with spaces between. Only with consent to analytics. Default none.
   */
  linkDomains?: readonly string[] | string
  /** Properties of every `track` and `page`; a message's own take precedence over them. Default none. */
  properties?: Properties
  /**
   * Messages a page may capture at once, and per minute. Default 10,000. Beyond it they are dropped and counted as
   * `flood`.
   */
  floodLimit?: number
  /**
   * Called with every error inside the SDK, its middleware and its plugins. Default none; nothing is thrown into the
   * page.
   */
  onError?: (error: unknown) => void
  /**
   * Plugins to run instead of those that the options above name: from `slotstream/parts`, to have them in the same
   * file. npm only.
   */
  parts?: Part[]
  /** Writes to the console what the SDK does, and asks the server for the reasons of its decisions. Default false. */
  debug?: boolean
}

/** Options that have no default here: an option that is missing is off, or its reader has the default. */
type Optional =
  | 'backgroundSync'
  | 'clicks'
  | 'cookieless'
  | 'debug'
  | 'dnt'
  | 'downloads'
  | 'elementViews'
  | 'errors'
  | 'flushAt'
  | 'flushInterval'
  | 'forms'
  | 'gpc'
  | 'idCookie'
  | 'linkDomains'
  | 'linkedId'
  | 'offlineSlots'
  | 'onError'
  | 'outboundLinks'
  | 'parts'
  | 'rawHtml'
  | 'sessionFeatures'

export type Settings = Required<Omit<Options, Optional>> & Pick<Options, Optional>

/** Fills in the defaults of what every page reads at its start. `origin` is the page's own. */
export function settle(options: Options, origin: string): Settings {
  const settings = {
    endpoint: origin,
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
    impressions: true,
    consent: 'granted',
    properties: {},
    floodLimit: 10_000,
  } as Settings
  const values = settings as unknown as Record<string, unknown>
  // An option that is present but undefined, as wrappers pass it, means its default.
  for (const [name, value] of Object.entries(options)) values[name] = value ?? values[name]
  settings.endpoint = settings.endpoint.replace(/\/+$/, '')
  return settings
}
