import type { JsonObject } from '../wire/messages.js'
import type { Enrichment } from './enrichment.js'
import type { PolicySpec } from './policies.js'
import type { Retention } from './retention.js'
import type { CountFrom, Reward } from './rewards.js'

/** Treatment of the privacy signals of browsers. */
export type PrivacySignals = 'ignore' | 'honour'

/** Treatment of visitors whose behaviour is that of a program. */
export const BOT_TREATMENTS = ['exclude', 'include'] as const

export type BotTreatment = (typeof BOT_TREATMENTS)[number]

/** A site: one tenant. */
export interface Site {
  siteId: string
  name: string
  /** Public keys: pages carry them, so any client may know them. */
  writeKeys: string[]
  /** SHA-256 of each secret key, Base64url: the keys themselves are kept nowhere. Default: none. */
  secretKeyHashes?: string[]
  /** Key of the signatures by which pages prove whose `userId` they name. It can't be kept as a hash. Default: none. */
  identitySecret?: string
  /** Origins whose pages may use the write keys, e.g. "https://shop.example". `*`: any. */
  allowedOrigins: string[]
  /** Whether pages may ask why a decision was made (`explain`). For development. */
  debug: boolean
  /** Fields that the collector adds to messages and takes out of them. Default: see `Enrichment`. */
  enrichment?: Partial<Enrichment>
  /**
   * Meaning of a browser's Global Privacy Control (`Sec-GPC`) and Do Not Track (`DNT`). `honour`: nothing of a request
   * that carries one is stored, and slots keep the page's own content. Default `ignore`.
   */
  privacySignals?: PrivacySignals
  /**
   * Requests a second that one collector takes for this site, with short bursts of twice that. Default: the
   * collector's.
   */
  requestsPerSecond?: number
  /** Days that its rows stay in the warehouse, by table. Default: for ever. */
  retention?: Retention
  /**
   * Visitor ids of heavy senders that are no visitors, such as a server that sends under one id: their messages are
   * spread over partitions, in no order, and they have no profile. Default: none.
   */
  spread?: string[]
  /** Signals that are told of its stream, detectors and patterns by name; an empty list: none. Default: all. */
  signals?: string[]
  /**
   * Treatment of visitors whose behaviour is that of a program. `exclude`: they are in no segment, no preview and no
   * learning, and reach no caps. Default `exclude`.
   */
  bots?: BotTreatment
  /** Persons who keep the page's own content in all slots. Default: none */
  holdout?: SiteHoldout
}

/** Persons who are held out of a whole site. */
export interface SiteHoldout {
  /** Share of the persons, from 0 to 1. */
  share: number
  /** Name of the group: another one draws other persons. Default: '' */
  tag?: string
}

/** Rules by which an order is credited to clicks: the last, the first, or all in equal parts. */
export const ATTRIBUTION_RULES = ['lastClick', 'firstClick', 'linear'] as const

export type AttributionRule = (typeof ATTRIBUTION_RULES)[number]

/** How orders are credited to the clicks on a slot. */
export interface Attribution {
  rule: AttributionRule
  /** Hours after a click within which an order is credited to it. */
  windowHours: number
}

/** The rule for a slot without one. */
export const DEFAULT_ATTRIBUTION: Attribution = { rule: 'lastClick', windowHours: 24 }

/** A named place on a page that asks for content. */
export interface Slot {
  id: string
  /** How it chooses. Absent: the default policy, see docs/policies.md */
  policy?: PolicySpec
  /** Condition over a content's own facts: contents that meet it are taken beside those that name the slot. */
  candidates?: JsonObject
  /** How many items it shows. Default 1. */
  count: number
  /** Share of visitors who always keep the page's own content, 0–1, stable per visitor. Default 0. */
  holdout: number
  /** Another tag holds out other visitors. Default: none */
  holdoutTag?: string
  /** How orders are credited to clicks on it. Default: `DEFAULT_ATTRIBUTION`. */
  attribution?: Attribution
  /**
   * Greatest age of the features that the policy asks for, a duration such as `5s`. Where they are older, the page
   * keeps its own content. Default: any
   */
  maxAge?: string
  /** Events that a decision is rewarded for. Default: `DEFAULT_REWARDS` */
  rewards?: Reward[]
  /** When an item enters what policies learn from with a reward of 0. Default `viewed` */
  countFrom?: CountFrom
  /**
   * Least share of draws that any content can win, for policies that learn, and least chance of each for a position,
   * however many there are. Default: `DEFAULT_EXPLORATION`, and what each has of that
   */
  exploration?: { atLeast: number; neverBelow?: number }
  /** Content that takes precedence over the policy's choice, in this order. Default: none */
  campaigns?: Campaign[]
  /** JSON Schema of the payload of its content. Default: any payload */
  schema?: JsonObject
  /** Content that its holdout sees: the page's own. Default `page` */
  control?: 'page'
}

/** Content that takes precedence in a slot for those who meet a condition. */
export interface Campaign {
  /** Unique in its slot. */
  id: string
  /** Condition in the vocabulary of segments, with `context` of the request. Absent: everyone */
  where?: JsonObject
  contentIds: string[]
  /**
   * `pin`: its content comes first, in this order. `boost`: the policy chooses among its content as long as there is
   * some.
   */
  mode: 'pin' | 'boost'
}

/** Longest time over which a cap counts, see `FrequencyCap`. */
export const CAP_WINDOWS = ['1h', '24h', '7d', 'session'] as const

/** How often a person is shown a content, at most. */
export interface FrequencyCap {
  count: number
  per: (typeof CAP_WINDOWS)[number]
}

/** One item of the catalog that a slot can show. */
export interface Content {
  id: string
  /** Slots it may appear in, beside those whose `candidates` it meets. */
  slots: string[]
  /** Its subject; the policy `affinity` matches it with what the visitor looked at. */
  category: string
  /** Text and attribute values that the page renders, by name. */
  payload: Record<string, string | number | boolean | null>
  /** Shown from this time on, ISO 8601. */
  startsAt?: string
  /** Shown until this time, ISO 8601. */
  endsAt?: string
  tags?: string[]
  brand?: string
  price?: number
  /** More facts, for conditions and queries; never sent to pages. */
  attributes?: JsonObject
  /** Condition that a person and request meet to be shown it, in the vocabulary of segments. Absent: everyone */
  where?: JsonObject
  /** How often a person is shown it. Default: as often as it is chosen */
  caps?: FrequencyCap[]
  /** Event after which the person is not shown it again, such as "Order Completed". */
  stopAfter?: string
  /** Relative chance under the policy `weighted`. Default 1 */
  weight?: number
  /** Pieces left; 0: it is not shown. The site sets it. Absent: unlimited */
  stock?: number
}
