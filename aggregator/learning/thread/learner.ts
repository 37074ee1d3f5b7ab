import { gunzipSync } from 'node:zlib'
import {
  advance,
  advanceLearned,
  foldEnvelope,
  type LearnedSlot,
  noteMissed,
  nothingLearned,
  parseLearned,
  type StreamPositions,
  writeLearned,
} from '@slotstream/core'
import { parseLearningEnvelope, parseStored } from '@slotstream/protocol'
import { createChangedContents } from '../contents/changed-contents.js'
import { linesOf, toChunks } from '../snapshot/snapshot-text.js'
import { createMemoryNews } from './memory-news.js'
import type { Answers, FoldCounts, ModelNews, News, StreamMessage } from './messages.js'
import { packModel } from './packed-model.js'
import { createRefits } from './refits.js'

/** Interval at which all slots are advanced, in milliseconds. A slot is also advanced with each model. */
const ADVANCE_MS = 60_000

/** Largest size of a decompressed snapshot, in bytes. */
const MAX_SNAPSHOT_BYTES = 2 ** 30

/** The core of learning: adds messages to sums, and fits models to these. Independent of threads and NATS. */
export interface Learner {
  /** Replaces the state by that of a snapshot. */
  load(chunks: Uint8Array[]): Answers['load']
  /** Learns from messages. */
  fold(messages: readonly StreamMessage[]): FoldCounts
  /** Resolves to a snapshot of the current state. */
  save(): Promise<Answers['save']>
  /** Passes on some contents, or fits one model, if that is due. Returns whether it did. */
  work(): boolean
}

/**
 * Creates a learner without any state.
 *
 * @param tell is called with each model and other news, and with buffers that can be transferred instead of copied
 * @param maxBytes memory that the sums of all slots may take, in bytes. Default: no limit
 */
export function createLearner(
  tell: (news: News, transfer: ArrayBuffer[]) => void,
  { maxBytes, now = Date.now }: { maxBytes?: number; now?: () => number } = {},
): Learner {
  let learned = nothingLearned(maxBytes)
  let positions: StreamPositions = {}
  let refits = createRefits()
  let changed = createChangedContents()
  let advancedAt = now()
  const memoryNews = createMemoryNews()

  function foldOne({ partition, data }: StreamMessage, counts: FoldCounts): string | undefined {
    const parsed = parseStored(data, parseLearningEnvelope)
    if (!parsed.ok) return parsed.reason
    const folded = foldEnvelope(learned, partition, parsed.value, now())
    counts.records += folded.records
    counts.contents += folded.contents.length
    changed.note(parsed.value.siteId, folded.contents)
    if (folded.isRepeat) counts.repeats++
    else if (parsed.value.removal !== undefined) counts.removals++
    for (const refusal of folded.refused) counts.refused[refusal] = (counts.refused[refusal] ?? 0) + 1
    for (const slot of folded.slots) refits.note(slot)
    return undefined
  }

  function advanceAll(): void {
    advancedAt = now()
    const before = [...learned.slots.values()]
    noteDropped(advanceLearned(learned, advancedAt))
    const left = new Set(learned.slots.values())
    for (const slot of before.filter(each => !left.has(each))) {
      refits.forget(slot)
      tell({ type: 'model', ...named(slot), model: undefined, keepsLinear: false, seconds: 0 }, [])
    }
  }

  function noteDropped(epochs: number): void {
    if (epochs > 0) tell({ type: 'dropped', epochs }, [])
  }

  return {
    load(chunks) {
      const parsed = parse(chunks, maxBytes)
      if (!parsed) return undefined
      learned = parsed.learned
      positions = parsed.positions
      refits = createRefits()
      for (const slot of learned.slots.values()) refits.note(slot)
      changed = createChangedContents()
      changed.noteAll(learned.contents)
      return { positions, at: parsed.at, slots: learned.slots.size }
    },
    fold(messages) {
      const counts: FoldCounts = { records: 0, repeats: 0, contents: 0, removals: 0, refused: {}, unreadable: [] }
      for (const message of messages) {
        const { stream, seq, position } = message
        noteMissed(learned.missed, position - seq + 1 + (positions[stream] ?? 0), position - 1)
        const reason = foldOne(message, counts)
        if (reason !== undefined) counts.unreadable.push({ stream, seq, reason })
        positions[stream] = seq
      }
      return counts
    },
    save() {
      advanceAll()
      const at = now()
      const lines = [...writeLearned(learned, positions, at)]
      const through = { ...positions }
      return toChunks(lines).then(chunks => ({ chunks, positions: through, at }))
    },
    work() {
      if (now() >= advancedAt + ADVANCE_MS) advanceAll()
      const started = performance.now()
      const at = now()
      const [memory, contents] = [memoryNews(learned, at), changed.next(at)]
      if (memory) tell(memory, [])
      if (contents) tell(contents, [])
      if (contents) return true
      const refitted = refits.next(at, slot => noteDropped(advance(slot.epochs, at)))
      if (!refitted) return false
      const { packed, transfer } = packModel(refitted.model)
      const seconds = (performance.now() - started) / 1_000
      tell(
        { type: 'model', ...named(refitted.slot), model: packed, keepsLinear: refitted.keepsLinear, seconds },
        transfer,
      )
      return true
    },
  }
}

function parse(chunks: Uint8Array[], maxBytes: number | undefined): ReturnType<typeof parseLearned> {
  try {
    return parseLearned(linesOf(gunzipSync(Buffer.concat(chunks), { maxOutputLength: MAX_SNAPSHOT_BYTES })), maxBytes)
  } catch {
    // It is truncated, or not gzip.
    return undefined
  }
}

function named({ siteId, slotId }: LearnedSlot): Pick<ModelNews, 'siteId' | 'slotId'> {
  return { siteId, slotId }
}
