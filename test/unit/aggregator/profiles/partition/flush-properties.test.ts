import type {
  ContentAmounts,
  EventEnvelope,
  LearningEnvelope,
  LearningRecord,
  Profile,
  SignalEnvelope,
} from '@slotstream/protocol'
import { createLog } from '@slotstream/runtime'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createApplier } from '#aggregator/profiles/apply/applier.js'
import { createProgress } from '#aggregator/profiles/apply/progress.js'
import { createUnpublished } from '#aggregator/profiles/apply/unpublished.js'
import { createProfileCache } from '#aggregator/profiles/cache/profile-cache.js'
import { createFlush } from '#aggregator/profiles/partition/flush.js'
import type { Checkpoint } from '#aggregator/profiles/store/checkpoints.js'
import type { ProfileStore } from '#aggregator/profiles/store/profile-store.js'
import { StoreConflict } from '#aggregator/profiles/store/store-conflict.js'
import { createPartitionTimers } from '#aggregator/profiles/timers/partition-timers.js'
import { applyAndDetect } from '../../../../support/signals.js'

const log = createLog('test')
log.level = 'silent'

const VISITORS = 4

/**
 * A store in memory. `fate` says of a write: it is rejected, it is done, or it is done and the answer is lost. `lag`
 * says of a read how many writes the replica that answers is behind.
 */
function memoryStore(fate: () => 'refused' | 'done' | 'unheard', lag: () => number = () => 0) {
  const entries = new Map<string, { text: string; revision: number }>()
  const versions = new Map<string, { text: string; revision: number }[]>()
  let last = 0
  async function write(key: string, value: object, revision: number | undefined): Promise<number> {
    const what = fate()
    if (what === 'refused') throw new Error('the store refuses')
    if (revision !== (entries.get(key)?.revision ?? 0)) throw new StoreConflict(`${key} is not at ${revision}`)
    const entry = { text: JSON.stringify(value), revision: ++last }
    entries.set(key, entry)
    versions.set(key, [...(versions.get(key) ?? []), entry])
    if (what === 'unheard') throw new Error('the answer was lost')
    return last
  }
  const read = <T>(key: string, behind = 0) => {
    const known = last - behind
    const entry = versions.get(key)?.findLast(({ revision }) => revision <= known)
    return { value: entry && (JSON.parse(entry.text) as T), revision: entry?.revision ?? 0 }
  }
  const store: ProfileStore = {
    keyOf: ({ visitorId }) => visitorId,
    async read(_siteId, visitorId) {
      const { value, revision } = read<Profile>(visitorId, lag())
      return { profile: value, revision }
    },
    visitorOf: async key => read<Profile>(key).value,
    write: (profile, revision) => write(profile.visitorId, profile, revision),
    loadNewest: async () => false,
    async readCheckpoint() {
      const { value, revision } = read<{ seq: number }>('checkpoint')
      return { seq: value?.seq ?? 0, revision }
    },
    writeCheckpoint: (_partition, seq, revision) => write('checkpoint', { seq }, revision),
  }
  /** Notes of what is due, by visitor. */
  const notes = new Map<string, { due: number; revision: number }>()
  const timers = {
    async write(key: string, due: number) {
      const what = fate()
      if (what === 'refused') throw new Error('the store refuses')
      notes.set(key, { due, revision: ++last })
      if (what === 'unheard') throw new Error('the answer was lost')
      return last
    },
    async remove(revision: number) {
      for (const [key, note] of notes) if (note.revision === revision) notes.delete(key)
    },
  }
  /** Signals in their stream, by id. */
  const signals = new Map<string, string>()
  /** Learning records in their stream, in the order of publishing. */
  const learned: Pick<LearningEnvelope, 'seq' | 'stored' | 'records' | 'contents'>[] = []
  return {
    store,
    notes,
    timers,
    signals,
    learned,
    async publishLearning(
      _partition: number,
      { seq, records, contents = [] }: Omit<(typeof learned)[number], 'stored'>,
      stored: number,
    ) {
      const what = fate()
      if (what === 'refused') throw new Error('the stream refuses')
      learned.push({ seq, stored, records, contents })
      if (what === 'unheard') throw new Error('the answer was lost')
    },
    async publishSignals(_partition: number, envelope: SignalEnvelope) {
      const what = fate()
      if (what === 'refused') throw new Error('the stream refuses')
      for (const signal of envelope.signals) signals.set(signal.signalId, JSON.stringify(signal))
      if (what === 'unheard') throw new Error('the answer was lost')
    },
    profile: (visitorId: string) => read<Profile>(visitorId).value,
    checkpoint: () => store.readCheckpoint(0),
  }
}

/** What the stream has at `seq`: a view; of two visitors also products in the cart, and times that come. */
function envelopeOf(visitorId: string, seq: number): EventEnvelope {
  const at = Date.UTC(2026, 0, 1) + seq * 60_000
  const timestamp = new Date(at).toISOString()
  const from = { siteId: 'shop', visitorId, receivedAt: timestamp }
  if (visitorId === 'v2' && seq % 2 === 0) return decisionAt(from, seq, at)
  const hasCart = visitorId === 'v1' || visitorId === 'v3'
  if (hasCart && seq % 4 === 0)
    return { ...from, timer: { at: at + 29 * 60_000, anonymousId: visitorId, userId: '' }, messages: [] }
  const event = hasCart && seq % 2 === 1 ? 'Product Added' : 'Product Viewed'
  const properties = { category: `c${Math.floor(seq / 10) % 4}`, product_id: `p${seq % 2}` }
  return { ...from, messages: [{ messageId: `m${seq}`, type: 'track', event, properties, timestamp }] }
}

/** Decisions of one visitor, each told several times, and what comes of them. */
function decisionAt(from: Omit<EventEnvelope, 'messages'>, seq: number, at: number): EventEnvelope {
  const decisionId = `d${Math.floor(seq / 12)}`
  const items = [{ contentId: 'tent', position: 1 }]
  if (seq % 12 < 4)
    return { ...from, served: [{ decisionId, slotId: 'hero', at: at - 60_000, sessionId: '', items }], messages: [] }
  const event = seq % 12 < 8 ? 'Slot Viewed' : 'Slot Clicked'
  const properties = { decisionId, contentId: 'tent' }
  return { ...from, messages: [{ messageId: `m${seq}`, type: 'track', event, properties, timestamp: from.receivedAt }] }
}

/** Records of one message, and what it adds to the features of content. */
type Taught = [records: LearningRecord[], contents: ContentAmounts[]]

/** What a reader has that knows repeats as the stream of learning records says, by sequence. */
function readLearned(
  learned: Pick<LearningEnvelope, 'seq' | 'stored' | 'records' | 'contents'>[],
): Map<number, Taught> {
  const taken = new Map<number, Taught>()
  let through = 0
  for (const { seq, stored, records, contents = [] } of learned) {
    if (seq > through && !taken.has(seq)) taken.set(seq, [records, contents])
    through = Math.max(through, stored)
  }
  return taken
}

/** An owner without NATS: what is in memory is lost with it, what is in the store stays. */
function owner(
  {
    store,
    notes,
    timers: timerStore,
    publishSignals,
    publishLearning,
  }: Pick<ReturnType<typeof memoryStore>, 'store' | 'notes' | 'timers' | 'publishSignals' | 'publishLearning'>,
  checkpoint: Checkpoint,
  limit: number,
  onOutdated = () => {},
) {
  const cache = createProfileCache({ maxProfiles: limit, read: store.read })
  const progress = createProgress(checkpoint.seq)
  const unpublished = createUnpublished()
  const timers = createPartitionTimers({
    store: timerStore,
    keyOf: store.keyOf,
    read: ({ siteId, visitorId }) => cache.get(siteId, visitorId),
    visitorOf: store.visitorOf,
    tell: async () => {},
    anonymousDays: 30,
  })
  for (const [key, note] of notes) timers.inherit({ key, ...note })
  const apply = createApplier({ cache, progress, unpublished, timers, deadLetter: async () => {} })
  let next = checkpoint.seq + 1
  const self = { index: 0, cache, progress, unpublished, timers, checkpoint }
  const nothing = async () => {}
  const publish = {
    signals: publishSignals,
    rejected: nothing,
    identity: nothing,
    news: nothing,
    telling: nothing,
    learning: publishLearning,
    forward: nothing,
  }
  const flush = createFlush({ store, publish, log, onOutdated })
  return {
    flush: () => flush([self]),
    async applyUpTo(stream: string[], count: number) {
      for (; count > 0 && next <= stream.length; count--) {
        const visitorId = stream[next - 1]!
        apply(next, envelopeOf(visitorId, next))
        await progress.waitFor(next++, 5_000)
      }
    },
  }
}

describe('flushing dirty partitions', () => {
  it('gives the profiles and the signals that the stream gives, after any crashes, lost answers, late replicas and former owners', async () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant('message' as const), n: fc.nat(VISITORS - 1) }) },
      { weight: 5, arbitrary: fc.record({ do: fc.constant('apply' as const), n: fc.nat(9) }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), n: fc.nat(9) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('trouble' as const), n: fc.nat(8) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('takeover' as const), n: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('lag' as const), n: fc.nat(6) }) },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 80, size: 'max' }),
        fc.integer({ min: 1, max: 3 }),
        async (steps, limit) => {
          let trouble = 0
          const fate = () => (trouble <= 0 ? 'done' : trouble-- % 2 === 0 ? 'refused' : 'unheard')
          let lag = 0
          const memory = memoryStore(fate, () => lag)
          const { store, signals, profile, checkpoint } = memory
          const stream: string[] = []
          const expected = new Map<string, Profile | undefined>()
          const detected = new Map<string, string>()
          const learned = new Map<number, Taught>()
          const take = async () => {
            const self = {
              stale: false,
              ...owner(memory, await store.readCheckpoint(0), limit, () => {
                self.stale = true
              }),
            }
            return self
          }
          // All of them believe that they own the partition, as paused processes do.
          let owners = [await take()]
          for (const { do: what, n } of steps) {
            const chosen = owners[n % owners.length]!
            if (what === 'message') {
              const visitorId = `v${n}`
              const seq = stream.push(visitorId)
              const applied = applyAndDetect(expected.get(visitorId), envelopeOf(visitorId, seq), seq)
              expected.set(visitorId, applied.profile)
              const { learning = [], contents = [] } = applied
              if (applied.learning || applied.contents) learned.set(seq, [learning, contents])
              for (const signal of applied.signals) detected.set(signal.signalId, JSON.stringify(signal))
            } else if (what === 'apply') await chosen.applyUpTo(stream, 1 + (n % 3))
            else if (what === 'pass') await chosen.flush()
            else if (what === 'trouble') trouble = n
            else if (what === 'lag') lag = n
            else owners = [...(n === 0 ? [] : owners.slice(-2)), await take()]
            for (const [index, { stale }] of owners.entries()) if (stale) owners[index] = await take()
          }
          trouble = 0
          lag = 0
          // The next owner completes what is left, and no former owner can undo it.
          let last = await take()
          for (const former of owners) await former.flush()
          for (let attempt = 0; attempt < 6; attempt++) {
            if (last.stale) last = await take()
            await last.applyUpTo(stream, stream.length)
            await last.flush()
          }
          for (const former of owners) if (!former.stale) await former.flush()
          for (const [visitorId, final] of expected) expect(profile(visitorId)).toEqual(final)
          expect((await checkpoint()).seq).toBe(stream.length)
          for (const [visitorId, final] of expected) {
            const { due } = final?.patterns ?? {}
            if (due !== undefined) expect(memory.notes.get(visitorId)?.due).toBeLessThanOrEqual(due)
          }
          // An owner that reads from a replica that lags may detect signals in a state that is out of date.
          const lagged = steps.some(step => step.do === 'lag' && step.n > 0)
          if (!lagged) expect([...readLearned(memory.learned)].sort()).toEqual([...learned].sort())
          expect(lagged ? [...signals].filter(([id]) => detected.has(id)).sort() : [...signals].sort()).toEqual(
            [...detected].sort(),
          )
        },
      ),
      { seed: 7, numRuns: 400 },
    )
  }, 60_000)

  it('does not move a checkpoint past a profile that is not stored', async () => {
    let failing = true
    const memory = memoryStore(() => (failing ? 'refused' : 'done'))
    const { checkpoint } = memory
    const running = owner(memory, { seq: 0, revision: 0 }, 10)
    await running.applyUpTo(['v0'], 1)
    expect(await running.flush()).toBe(false)
    expect((await checkpoint()).seq).toBe(0)
    failing = false
    expect(await running.flush()).toBe(true)
    expect((await checkpoint()).seq).toBe(1)
  })

  it('stores nothing of a partition before its signals are published', async () => {
    let failing = true
    const memory = memoryStore(() => 'done')
    const publishSignals = (partition: number, envelope: SignalEnvelope) =>
      failing ? Promise.reject(new Error('the stream is full')) : memory.publishSignals(partition, envelope)
    const running = owner({ ...memory, publishSignals }, { seq: 0, revision: 0 }, 10)
    await running.applyUpTo(['v0', 'v0', 'v0', 'v0', 'v0'], 5)
    expect(await running.flush()).toBe(false)
    expect(memory.profile('v0')).toBeUndefined()
    expect((await memory.checkpoint()).seq).toBe(0)
    failing = false
    expect(await running.flush()).toBe(true)
    expect(memory.signals.size).toBe(1)
    expect(memory.profile('v0')?.events).toBe(5)
    expect((await memory.checkpoint()).seq).toBe(5)
  })
})
