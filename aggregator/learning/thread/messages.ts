import type { ContentTotal, RecordRefusal, StreamPositions } from '@slotstream/core'
import type { PackedModel } from './packed-model.js'

/** A message of a stream of learning records. */
export interface StreamMessage {
  stream: string
  seq: number
  /** Stream position, across all streams of learning records. */
  position: number
  partition: number
  data: Uint8Array
}

/** A message of a stream of learning records, with details of reading it. */
export interface ReadMessage extends StreamMessage {
  /** When it was stored, in milliseconds since the epoch. */
  storedAt: number
  /** Number of messages that the stream had after it. */
  pending: number
}

/** A request to the thread that learns. Requests are answered in their order. */
export type Request =
  /** Continue from a snapshot; learn from messages; return a snapshot. */
  { type: 'load'; chunks: Uint8Array[] } | { type: 'fold'; messages: StreamMessage[] } | { type: 'save' }

/** Answers, by the type of the request. */
export interface Answers {
  /** Undefined: the chunks are no snapshot. */
  load: { positions: StreamPositions; at: number; slots: number } | undefined
  fold: FoldCounts
  save: { chunks: Uint8Array[]; positions: StreamPositions; at: number }
}

/** Counts of processed messages. */
export interface FoldCounts {
  /** Records that were learned from, or removed. */
  records: number
  /** Messages that had been processed before. */
  repeats: number
  /** Contents whose sums have changed. */
  contents: number
  /** Messages that are removals. */
  removals: number
  /** Records that were not learned from, by reason. */
  refused: Partial<Record<RecordRefusal, number>>
  /** Messages that could not be parsed. */
  unreadable: { stream: string; seq: number; reason: string }[]
}

/** A new model of a slot. */
export interface ModelNews {
  type: 'model'
  siteId: string
  slotId: string
  /** Undefined: the slot has no model any more. */
  model: PackedModel | undefined
  /** Whether the linear part of the previous model stays in use: it is not repeated here. */
  keepsLinear: boolean
  /** Time that fitting took, in seconds. */
  seconds: number
}

/** New counts of some contents of a site. */
export interface ContentNews {
  type: 'contents'
  siteId: string
  contents: ContentTotal[]
  /** Whether no other changes are left to pass on. */
  isAll: boolean
}

/** Number of epochs that were dropped because their sums would not be exact. */
export interface DroppedNews {
  type: 'dropped'
  epochs: number
}

/** Memory in use, in bytes; `left`: contents that were dropped because memory was full. */
export interface MemoryNews {
  type: 'memory'
  slots: number
  contents: number
  left: number
}

/** A message that the thread sends unasked. */
export type News = ModelNews | DroppedNews | ContentNews | MemoryNews

/** Any message that the thread sends. */
export type ThreadMessage =
  | News
  | { type: 'answer'; value: Answers[Request['type']] }
  | { type: 'failure'; message: string }
