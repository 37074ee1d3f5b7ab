import type { Profile } from '@slotstream/protocol'
import { createLog } from '@slotstream/runtime'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createApplier } from '../../../../aggregator/profiles/applier.js'
import { applyEnvelope } from '../../../../aggregator/profiles/apply.js'
import { createPartition } from '../../../../aggregator/profiles/partition.js'
import type { ProfileStore } from '../../../../aggregator/profiles/profile-store.js'
import { createProgress } from '../../../../aggregator/profiles/progress.js'
import { createWriteBehind } from '../../../../aggregator/profiles/write-behind.js'

const log = createLog('test')
log.level = 'silent'

const PARTITIONS = 3
const VISITORS = 7
const partitionOf = (visitorId: string) => Number(visitorId.slice(1)) % PARTITIONS

/** A store in memory whose writes fail when `fails` says so. */
function memoryStore(fails: () => boolean) {
  const profiles = new Map<string, string>()
  const checkpoints = Array.from({ length: PARTITIONS }, () => 0)
  const store: ProfileStore = {
    keyOf: ({ visitorId }) => visitorId,
    async read(_siteId, visitorId) {
      const text = profiles.get(visitorId)
      return text === undefined ? undefined : (JSON.parse(text) as Profile)
    },
    async write(profile) {
      if (fails()) throw new Error('the store refuses')
      profiles.set(profile.visitorId, JSON.stringify(profile))
    },
    loadNewest: async () => false,
    readCheckpoint: async partition => checkpoints[partition] ?? 0,
    async writeCheckpoint(partition, seq) {
      if (fails()) throw new Error('the store refuses')
      checkpoints[partition] = seq
    },
  }
  return { store, profiles, checkpoints }
}

function envelopeOf(visitorId: string, seq: number) {
  const timestamp = new Date(Date.UTC(2026, 0, 1) + seq * 600_000).toISOString()
  const properties = { category: `c${seq % 4}` }
  return {
    siteId: 'shop',
    visitorId,
    receivedAt: timestamp,
    messages: [{ messageId: `m${seq}`, type: 'track' as const, event: 'Product Viewed', properties, timestamp }],
  }
}

/** The role without NATS: what is in memory dies with it, what is in the store stays. */
function role(store: ProfileStore, checkpoints: number[], limit: number) {
  const partitions = checkpoints.map(() => {
    const partition = createPartition(limit, store.read)
    partition.markIncomplete()
    return partition
  })
  const start = Math.min(...checkpoints)
  const progress = createProgress(PARTITIONS, start)
  const apply = createApplier(partitions, progress, () => {})
  return { start, progress, apply, pass: createWriteBehind(partitions, progress, store, [...checkpoints], log) }
}

describe('storing behind', () => {
  it('gives, after any crashes and refused writes, the profiles that the stream gives from its beginning', async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('message'), visitor: fc.nat(VISITORS - 1) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('pass'), visitor: fc.nat(5) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('crash'), visitor: fc.constant(0) }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), async (steps, limit) => {
        let failuresLeft = 0
        const { store, profiles, checkpoints } = memoryStore(() => failuresLeft-- > 0)
        const stream: string[] = []
        const expected = new Map<string, Profile | undefined>()
        let running = role(store, checkpoints, limit)
        for (const { do: what, visitor } of steps) {
          if (what === 'message') {
            const visitorId = `v${visitor}`
            const seq = stream.push(visitorId)
            expected.set(visitorId, applyEnvelope(expected.get(visitorId), envelopeOf(visitorId, seq), seq))
            running.apply(partitionOf(visitorId), seq, envelopeOf(visitorId, seq))
          } else if (what === 'pass') {
            failuresLeft = visitor
            await running.pass()
          } else {
            running = role(store, checkpoints, limit)
            for (let seq = running.start + 1; seq <= stream.length; seq++) {
              const visitorId = stream[seq - 1]!
              running.apply(partitionOf(visitorId), seq, envelopeOf(visitorId, seq))
            }
          }
        }
        failuresLeft = 0
        for (let i = 0; i < PARTITIONS; i++) await running.progress.waitFor(i, stream.length, 5_000)
        expect(await running.pass(true)).toBe(true)
        expect(new Map([...profiles].map(([id, text]) => [id, JSON.parse(text)]))).toEqual(expected)
        expect(checkpoints).toEqual(checkpoints.map(() => stream.length))
      }),
      { seed: 7, numRuns: 150 },
    )
  })

  it('does not move a checkpoint past a profile that is not stored', async () => {
    let failing = true
    const { store, checkpoints } = memoryStore(() => failing)
    const running = role(store, checkpoints, 10)
    running.apply(0, 1, envelopeOf('v0', 1))
    await running.progress.waitFor(0, 1, 5_000)
    expect(await running.pass(true)).toBe(false)
    expect(checkpoints[0]).toBe(0)
    failing = false
    expect(await running.pass()).toBe(true)
    expect(checkpoints[0]).toBe(1)
  })

  it('moves the checkpoints of partitions without messages too, so that a restart need not replay the whole stream', async () => {
    const { store, checkpoints } = memoryStore(() => false)
    const running = role(store, checkpoints, 10)
    running.progress.received(0, 10_000, true)
    await running.pass()
    expect(checkpoints).toEqual([10_000, 10_000, 10_000])
  })
})
