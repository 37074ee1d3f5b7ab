import type { FeatureDefinition } from '@slotstream/protocol'
import { ANY_EVENT } from '../conditions/event-name.js'
import { counted } from '../counted.js'
import { MAX_PROFILE_FEATURES_BYTES } from '../profile/features/ladder.js'
import type { Aggregate } from './aggregates/aggregate.js'
import { AGGREGATE_BY_NAME, type AnyAggregateName } from './aggregates/aggregates.js'
import { MAX_CHANGES } from './aggregates/cart.js'
import { MAX_EXACT } from './aggregates/distinct.js'
import { MAX_RECENT } from './aggregates/recent.js'
import { MAX_COUNTED, MAX_LISTED } from './aggregates/sets.js'
import type { BuiltInFeature } from './built-in.js'
import { DEFAULT_KEYS, versionOfFeature, windowOf } from './compile.js'
import { narrowingOf } from './narrow/narrow-rows.js'
import { MAX_VISITS } from './state/visits.js'
import { firstSlotBeside, hasSlots, type Window } from './state/windows.js'

/** The evaluation of a feature, as plain data. */
export interface FeatureExplanation {
  name: string
  version: string
  /**
   * `request`: when the message is applied, before a request that waits for it is answered. `stream`: soon after, of
   * content.
   */
  evaluated: 'request' | 'stream'
  /** Delay after its message until a value is up to date, in seconds, on the same browser and on another one. */
  freshness: { seconds: number; elsewhereSeconds: number; text: string }
  /**
   * State per visitor: numbers, or lists of them, one for each tile of the window and each key. `bytesOfAll`: bytes
   * that all features of a visitor take in memory at most; absent for content, which has bounds of its own.
   */
  state: { cellsAtMost: number; slots: number; keys: number; bytesOfAll?: number; text: string }
  cost: {
    /** Events whose messages are looked at; `*`: all messages. */
    events: string[]
    /** Conditions that are evaluated for one message at most. */
    conditionsPerMessage: number
    text: string
  }
}

/** Contents of one cell, where they are more than one or two numbers. */
const CELLS: Partial<Record<AnyAggregateName, string>> = {
  distinct: `up to ${MAX_EXACT} hashes, or a sketch beyond`,
  unique: `up to ${MAX_LISTED} values`,
  mode: `up to ${MAX_COUNTED} values with their counts`,
  topK: `up to ${MAX_COUNTED} values with their counts`,
  recent: `up to ${MAX_RECENT} values with their times`,
  cart: `up to ${MAX_CHANGES} changes`,
  first: 'one value with its time and message',
  last: 'one value with its time and message',
}

/** Bounds up to which a cell is exact. */
const MOST: Partial<Record<AnyAggregateName, string>> = {
  distinct: `${MAX_EXACT} values`,
  unique: `${MAX_LISTED} values`,
  mode: `${MAX_COUNTED} values`,
  topK: `${MAX_COUNTED} values`,
  cart: `${MAX_CHANGES} changes`,
}

/** Time until a change on one browser is seen on another of the same person, in seconds. */
const ELSEWHERE_SECONDS = 2

/** Explains where a feature is evaluated, how fresh it is, what it keeps and what it costs. It must be valid. */
export function explainFeature(definition: FeatureDefinition | BuiltInFeature): FeatureExplanation {
  const { name, source, by, aggregate, keys = DEFAULT_KEYS } = definition
  const window = windowOf(definition)
  const slots = slotsOf(window)
  const ofKeys = by === undefined ? 1 : keys
  const events = 'events' in source ? Object.keys(source.events) : [source.event]
  const conditions = source.where === undefined ? 0 : 1
  const isOfContent = definition.entity === 'content'
  return {
    name,
    version: versionOfFeature(definition),
    evaluated: isOfContent ? 'stream' : 'request',
    freshness: {
      seconds: isOfContent ? ELSEWHERE_SECONDS : 0,
      elsewhereSeconds: ELSEWHERE_SECONDS,
      text: isOfContent
        ? `added up within ${ELSEWHERE_SECONDS} s${edgeOf(window)}`
        : `counted with its message; on another browser of the person within ${ELSEWHERE_SECONDS} s${edgeOf(window)}`,
    },
    state: {
      cellsAtMost: slots * ofKeys,
      slots,
      keys: ofKeys,
      ...(!isOfContent && { bytesOfAll: MAX_PROFILE_FEATURES_BYTES }),
      text: isOfContent
        ? `${counted(slots, 'slot')} of time of each content in each slot, each with one number`
        : `${counted(slots, 'slot')} of time with up to ${counted(ofKeys, 'key')} a visitor, each with ${CELLS[aggregate] ?? 'one or two numbers'}${boundOf(definition)}`,
    },
    cost: {
      events,
      conditionsPerMessage: conditions,
      text: events.includes(ANY_EVENT)
        ? 'every message is counted'
        : `messages of ${counted(events.length, 'event')} are looked at; others cost nothing`,
    },
  }
}

/** Says what becomes of a feature where all features of a visitor would take more than they may. */
function boundOf(definition: FeatureDefinition | BuiltInFeature): string {
  const { by, aggregate } = definition
  const isOfSession = windowOf(definition).kind === 'session'
  const parts = by === undefined ? (isList(aggregate) ? 'values' : undefined) : 'keys'
  const loss = isOfSession
    ? 'earlier sessions are left out first'
    : parts
      ? `it keeps the ${parts} of the smallest hashes, a half, a quarter …`
      : 'it is left out, after all that has keys or lists'
  const most = mostOf(definition)
  const cut = most ? `; beyond ${most} its value says "approximate"` : ''
  return `${cut}; where all features of a visitor would take more than ${MAX_PROFILE_FEATURES_BYTES / 1024} KB in memory ${loss}, which its value tells as "narrowed"`
}

/** Returns how much a feature takes before its value is made of a part; undefined: it takes everything. */
function mostOf({ by, aggregate, keys = DEFAULT_KEYS }: FeatureDefinition | BuiltInFeature): string | undefined {
  const ofRow = MOST[aggregate]
  return by === undefined ? ofRow : [`${keys} keys`, ...(ofRow ? [ofRow] : [])].join(', or ')
}

function isList(aggregate: AnyAggregateName): boolean {
  return narrowingOf(AGGREGATE_BY_NAME[aggregate] as Aggregate) !== undefined
}

function slotsOf(window: Window): number {
  // Of each session that is kept, for messages that come late.
  if (window.kind === 'session') return MAX_VISITS
  return hasSlots(window) ? 1 - firstSlotBeside(window, 0) : 1
}

function edgeOf(window: Window): string {
  return window.kind === 'sliding' ? `; the window’s end moves by steps of ${window.tile / 1000} s` : ''
}
