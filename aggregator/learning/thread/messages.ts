import type { ContentTotal, RecordRefusal, StreamPositions } from '@slotstream/core'
import type { PackedModel } from './packed-model.js'

/** A message of a stream of learning records. */
export interface StreamMessage {
  stream: string
  seq: number
  /** Its position among those of all streams of the kind. */
  position: number
  partition: number
  data: Uint8Array
}

/** The same as it was read. */
export interface ReadMessage extends StreamMessage {
  /** When it was stored, in milliseconds since the epoch. */
  storedAt: number
  /** Messages that the stream had behind it. */
  pending: number
}

/** What the thread that learns is asked for: each is answered once, in order. */
export type Request =
  /** Goes on from a snapshot. */
  { type: 'load'; chunks: Uint8Array[] } | { type: 'fold'; messages: StreamMessage[] } | { type: 'save' }

/** Answers, by the type of the request. */
export interface Answers {
  /** Undefined: it is no snapshot. */
  load: { positions: StreamPositions; at: number; slots: number } | undefined
  fold: FoldCounts
  save: { chunks: Uint8Array[]; positions: StreamPositions; at: number }
}

/** What came of messages. */
export interface FoldCounts {
  records: number
  repeats: number
  /** Contents whose sums have changed. */
  contents: number
  /** Messages that took records away. */
  removals: number
  refused: Partial<Record<RecordRefusal, number>>
  /** Why messages could not be read, with their sequences. */
  unreadable: { stream: string; seq: number; reason: string }[]
}

/** Model of a slot as it is now. */
export interface ModelNews {
  type: 'model'
  siteId: string
  slotId: string
  /** Undefined: nothing is known of the slot any more. */
  model: PackedModel | undefined
  /** The linear model of the one before is still good: it is not told again. */
  keepsLinear: boolean
  /** Seconds that it took. */
  seconds: number
}

/** What is counted of some contents of a site now. */
export interface ContentNews {
  type: 'contents'
  siteId: string
  contents: ContentTotal[]
  /** Whether nothing else is to be told. */
  isAll: boolean
}

/** Epochs that were dropped because their sums would no longer have been exact. */
export interface DroppedNews {
  type: 'dropped'
  epochs: number
}

/** Memory that what was learned takes now, in bytes, and contents that have left for lack of it. */
export interface MemoryNews {
  type: 'memory'
  slots: number
  contents: number
  left: number
}

/** What the thread tells of itself, without being asked. */
export type News = ModelNews | DroppedNews | ContentNews | MemoryNews

/** What the thread tells. */
export type ThreadMessage =
  | News
  | { type: 'answer'; value: Answers[Request['type']] }
  | { type: 'failure'; message: string }
