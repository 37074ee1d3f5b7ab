import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { ENVELOPE_BYTES } from '#sdk/delivery/body.js'
import { batchIdOf, type Chunk, type SealedBatch } from '#sdk/delivery/database/tables.js'
import {
  afterCut,
  afterSeal,
  afterSettling,
  afterTaking,
  bytesOfChunks,
  type ExitBatch,
  type PageChunk,
  REMEMBERED_BYTES,
  sealForExit,
} from '#sdk/delivery/life-cycle.js'
import { numbered } from '#sdk/delivery/numbered.js'

const MAX_BATCH_BYTES = 41_000
const TABS = 3

type Answer = 'accepted' | 'rejected' | 'lost'
type Move =
  | { do: 'capture'; tab: number; count: number; visitor: string; bytes: number }
  /**
   * The store gets to the oldest transaction of a tab: the first half numbers and commits, the second half tells the
   * tab.
   */
  | { do: 'commit' | 'tell'; tab: number }
  | { do: 'seal'; tab: number; taking: number }
  | { do: 'exit'; tab: number; room: number; leaves: boolean }
  | { do: 'send'; tab: number; answer: Answer }

const tab = fc.nat({ max: TABS - 1 })
const answer = fc.constantFrom<Answer>('accepted', 'accepted', 'rejected', 'lost')
const capture = fc.record({
  do: fc.constant('capture' as const),
  tab,
  count: fc.integer({ min: 1, max: 4 }),
  visitor: fc.constantFrom('ann', 'bob'),
  bytes: fc.constantFrom(100, 3_000, 39_000),
})
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 5, arbitrary: capture },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('commit' as const, 'tell' as const), tab }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('seal' as const), tab, taking: fc.integer({ min: 1, max: 9 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('exit' as const),
      tab,
      room: fc.constantFrom(0, 5_000, 20_000, MAX_BATCH_BYTES),
      leaves: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('send' as const), tab, answer }) },
)

/** A transaction of a tab: what it does to the store, and what the tab does when it hears of it. */
interface Transaction {
  commit: () => void
  tell?: () => void
}

interface Tab {
  /** Frozen, so that a step that changes them throws. The chunks themselves their writes mark in place. */
  unsealed: readonly PageChunk[]
  unsettled: readonly SealedBatch[]
  /** Number of times the page's end came. */
  exits: number
  /** Transactions asked for, and those that are through but that the tab hasn't heard of. */
  asked: Transaction[]
  through: Transaction[]
  /** Batches in localStorage that the tab's exits sealed. */
  saved: ExitBatch[]
}

const fresh = (): Tab => ({
  unsealed: [],
  unsettled: [],
  exits: 0,
  asked: [],
  through: [],
  saved: [],
})

/** One browser: tabs over a store, and a collector that knows a batch again by its id. */
function createBrowser() {
  const tabs = Array.from({ length: TABS }, fresh)
  const chunks = new Map<string, Chunk>()
  const batches = new Map<string, SealedBatch>()
  const settled = new Map<string, SealedBatch>()
  /** Messages by the batches they were sent in. */
  const sent = new Map<string, Set<string>>()
  const texts = new Map<string, string>()
  const captured: string[] = []
  let seq = 0
  let ids = 0
  const newId = () => `00000000-${String(++ids).padStart(27, '0')}`

  const idsOf = (batch: SealedBatch) => batch.texts.map(text => JSON.parse(text).messageId as string)
  const cut = (visitor: string, count: number, bytes: number): Chunk => {
    const messages = Array.from({ length: count }, newId)
    captured.push(...messages)
    return {
      key: messages[0]!,
      visitor,
      texts: messages.map(messageId => JSON.stringify({ messageId, context: { visitor } })),
      from: 0,
      bytes,
      at: 0,
    }
  }
  return {
    tabs,
    chunks,
    batches,
    settled,
    sent,
    captured,
    idsOf,
    seq: () => seq,
    capture(it: Tab, visitor: string, count: number, bytes: number) {
      const chunk: PageChunk = cut(visitor, count, bytes)
      it.unsealed = Object.freeze(afterCut(it.unsealed, [chunk]))
      const { unsealed } = it
      // Written messages are forgotten, oldest first, beyond the bound; those that no write has reached never.
      if (unsealed[0]?.durable) expect(bytesOfChunks(unsealed)).toBeLessThanOrEqual(REMEMBERED_BYTES)
      it.asked.push({
        commit() {
          chunk.from = seq + 1
          seq += chunk.texts.length
          chunks.set(chunk.key, { ...chunk })
        },
        tell() {
          chunk.durable = true
        },
      })
    },
    commit(it: Tab) {
      const next = it.asked.shift()
      next?.commit()
      if (next?.tell) it.through.push(next)
    },
    tell: (it: Tab) => it.through.shift()?.tell?.(),
    /** Asks for a transaction that seals the oldest chunks of one visitor. */
    seal(it: Tab, taking: number) {
      const { exits } = it
      it.asked.push({ commit: () => this.take(it, taking, exits) })
    },
    take(it: Tab, taking: number, exits: number) {
      const id = newId()
      let batch: SealedBatch | undefined
      const oldest = [...chunks.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1))
      for (const { key, visitor, texts, from, bytes } of oldest) {
        batch ??= { batchId: batchIdOf(key, id), visitor, texts: [], bytes: 0, at: 0 }
        if (visitor !== batch.visitor || (batch.bytes && batch.bytes + bytes > MAX_BATCH_BYTES - ENVELOPE_BYTES)) break
        if (it.exits !== exits || taking-- <= 0) break
        const [unsealed, unsettled] = afterTaking(it.unsealed, it.unsettled as SealedBatch[], key, batch)
        it.unsealed = Object.freeze(unsealed)
        it.unsettled = Object.freeze(unsettled)
        batch.texts.push(...texts.map((text, index) => numbered(text, from + index)))
        batch.bytes += bytes
        chunks.delete(key)
      }
      if (batch?.texts.length) batches.set(batch.batchId, batch)
    },
    exit(it: Tab, room: number, unwritten: Chunk[]) {
      const [batches, last] = sealForExit(
        it.unsealed,
        unwritten,
        seq,
        room - ENVELOPE_BYTES,
        MAX_BATCH_BYTES - ENVELOPE_BYTES,
        newId(),
      )
      it.unsealed = []
      it.unsettled = Object.freeze([...it.unsettled, ...batches.map(({ batch }) => batch)])
      it.exits++
      seq = Math.max(seq, last)
      for (const [index, { batch }] of batches.entries()) {
        const limit = (index ? MAX_BATCH_BYTES : room) - ENVELOPE_BYTES
        // Bounded, save for a single chunk that is larger than what is left.
        if (batch.bytes > limit) expect(batches[index]!.keys).toHaveLength(1)
        expect(idsOf(batch)).toEqual(idsOf(batch).toSorted())
      }
      it.saved.push(...batches)
      it.asked.push({ commit: () => this.store(it, batches) })
    },
    /** Puts saved batches of a tab into the store, as it does itself after an exit, and the next page. */
    store(it: Tab, saved: ExitBatch[]) {
      it.saved = it.saved.filter(exitBatch => !saved.includes(exitBatch))
      for (const { batch, keys } of saved) {
        if (!settled.has(batch.batchId)) batches.set(batch.batchId, batch)
        for (const key of keys) chunks.delete(key)
      }
    },
    /** Posts a batch, and settles it by the answer. */
    send(it: Tab, batch: SealedBatch, how: Answer) {
      const text = batch.texts.join()
      // A batch is sent again under its id as it was.
      expect(texts.get(batch.batchId) ?? text).toBe(text)
      texts.set(batch.batchId, text)
      for (const id of idsOf(batch)) sent.set(id, (sent.get(id) ?? new Set()).add(batch.batchId))
      if (how === 'lost') return
      it.unsettled = Object.freeze(afterSettling(it.unsettled, batch.batchId))
      expect(it.unsettled.map(({ batchId }) => batchId)).not.toContain(batch.batchId)
      settled.set(batch.batchId, batch)
      batches.delete(batch.batchId)
    },
    /** Ends a tab; the next page finds what it saved. What its writes had not reached left with it. */
    end(it: Tab) {
      this.store(it, it.saved)
      Object.assign(it, fresh())
    },
    cut,
  }
}

function live(moves: Move[], tabs: number) {
  const browser = createBrowser()
  for (const move of moves) {
    const it = browser.tabs[move.tab % tabs]!
    switch (move.do) {
      case 'capture':
        browser.capture(it, move.visitor, move.count, move.bytes)
        break
      case 'exit':
        browser.exit(it, move.room, [browser.cut('ann', 2, 500)])
        if (move.leaves) {
          for (const batch of it.unsettled) browser.send(it, batch, 'lost')
          browser.end(it)
        }
        break
      case 'seal':
        browser.seal(it, move.taking)
        break
      case 'send': {
        const [oldest] = [...browser.batches.values()].toSorted((a, b) => (a.batchId < b.batchId ? -1 : 1))
        if (oldest) browser.send(it, oldest, move.answer)
        break
      }
      default:
        browser[move.do](it)
    }
  }
  // Every write comes through, every page ends, and what is left is sent.
  for (const it of browser.tabs) {
    while (it.asked.length) browser.commit(it)
    while (it.through.length) browser.tell(it)
    browser.exit(it, MAX_BATCH_BYTES, [])
    browser.end(it)
  }
  const [last] = browser.tabs
  while (browser.chunks.size) browser.take(last!, Infinity, last!.exits)
  for (const batch of browser.batches.values()) browser.send(last!, batch, 'accepted')
  return browser
}

const moves = fc.array(move, { minLength: 1, maxLength: 60 })

it('loses no message between capture and its end, whatever tabs, seals, answers and exits do in between', () => {
  fc.assert(
    fc.property(moves, moves => {
      const { captured, settled, idsOf } = live(moves, TABS)
      const ended = new Set([...settled.values()].flatMap(idsOf))
      expect(captured.filter(id => !ended.has(id))).toEqual([])
    }),
    { numRuns: 500 },
  )
})

it('sends no message in two batches, in the order of capture within each, with one number each', () => {
  fc.assert(
    fc.property(moves, moves => {
      const { sent, settled, idsOf } = live(moves, 1)
      expect([...sent].filter(([, batches]) => batches.size > 1)).toEqual([])
      const numbers = [...settled.values()].flatMap(({ texts }) => texts.map(text => JSON.parse(text).context.seq))
      expect(new Set(numbers).size).toBe(numbers.length)
      for (const batch of settled.values()) expect(idsOf(batch)).toEqual(idsOf(batch).toSorted())
    }),
    { numRuns: 500 },
  )
})

it('keeps a chunk that a sealing could not see, because its write had not reached the store', () => {
  const chunk = (key: string, durable: boolean): PageChunk => ({
    key,
    visitor: 'ann',
    texts: [],
    from: 0,
    bytes: 1,
    at: 0,
    durable,
  })
  const unsealed = [chunk('a', true), chunk('b', false), chunk('c', false), chunk('d', true)]
  expect(afterSeal(unsealed, 'c').map(({ key }) => key)).toEqual(['b', 'd'])
})
