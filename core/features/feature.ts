import type { StoredMessage } from '@slotstream/protocol'
import type { Aggregate } from './aggregates/aggregate.js'
import type { ReadEntries } from './input/read-entries.js'
import type { ReadPath } from './input/read-path.js'
import type { Window } from './state/windows.js'

/** A feature, ready to be counted. */
export interface Feature {
  name: string
  /** Names this definition of the feature: see `versionOfFeature`. */
  version: string
  aggregate: Aggregate
  window: Window
  /** Undefined: every message of its events. */
  matches: ((message: StoredMessage) => boolean) | undefined
  /** Undefined: the value is 1. */
  readValue: ReadPath | undefined
  /** Undefined: the feature is one value, not one by key. */
  readKeys: ReadPath | undefined
  /** Reads keys and values that are in one list. Undefined: they are in none. */
  readEntries: ReadEntries | undefined
  /** Most keys of a slot. */
  keys: number
  /** Revision in which this definition came; 0 of built-in ones that were there from the start. */
  addedIn: number
  isBuiltIn: boolean
}

/** A feature with the weight that it gives the messages of one event. */
export interface Rule {
  feature: Feature
  weight: number
}

/** The features of a site. */
export interface Features {
  /** The latest revision of what the site declared, and of the built-in features; 0: neither was ever changed. */
  revision: number
  byName: ReadonlyMap<string, Feature>
  byVersion: ReadonlyMap<string, Feature>
  /** Every rule with the name of its event. */
  rules: readonly EventRule[]
  /** Rules by the name of the event, those of every message among them; and of events that no rule names. */
  rulesByEvent: ReadonlyMap<string, readonly Rule[]>
  rulesOfAny: readonly Rule[]
  /** Features of content, which are no visitor's: see `countContents`. */
  ofContent: ContentFeatures
  /**
   * Names of features whose history is being counted. A feature of the name that was declared before is served
   * meanwhile.
   */
  filling: ReadonlySet<string>
}

/** The features of a site's content. */
export interface ContentFeatures {
  byName: ReadonlyMap<string, Feature>
  /** Every rule, as those of `Features`. */
  rules: readonly EventRule[]
  rulesByEvent: ReadonlyMap<string, readonly Rule[]>
  rulesOfAny: readonly Rule[]
}

/** A rule and the name of the event whose messages it is for. */
export type EventRule = readonly [event: string, rule: Rule]
