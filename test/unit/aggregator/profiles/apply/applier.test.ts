import type { Profile } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { createApplier } from '#aggregator/profiles/apply/applier.js'
import type { StepResult } from '#aggregator/profiles/apply/apply-step.js'
import { createProgress } from '#aggregator/profiles/apply/progress.js'
import { createUnpublished } from '#aggregator/profiles/apply/unpublished.js'
import { createProfileCache } from '#aggregator/profiles/cache/profile-cache.js'

const AT = '2026-01-01T00:00:00.000Z'

function envelopeOf(visitorId: string, seq: number) {
  const message = { messageId: `m${seq}`, type: 'track' as const, event: 'Seen', timestamp: AT }
  return { siteId: 'shop', visitorId, receivedAt: AT, messages: [message] }
}

/** An applier over an empty cache. Profiles that are not in memory are read when the test says so. */
function setUp({ isComplete }: { isComplete: boolean }) {
  const reads: (() => void)[] = []
  const deadLetters: { seq: number; stored: () => void }[] = []
  const cache = createProfileCache({
    maxProfiles: 10,
    read: () =>
      new Promise(resolve => reads.push(() => resolve({ profile: undefined as Profile | undefined, revision: 0 }))),
  })
  if (isComplete) cache.markComplete()
  const progress = createProgress(0)
  const unpublished = createUnpublished()
  const deadLetter = (seq: number) => new Promise<void>(stored => deadLetters.push({ seq, stored }))
  return { reads, deadLetters, cache, progress, apply: createApplier({ cache, progress, unpublished, deadLetter }) }
}

describe('applying messages', () => {
  it('returns the result at once where memory has the profile, and says which message was applied before', () => {
    const { apply, progress, cache } = setUp({ isComplete: true })
    expect(apply(3, envelopeOf('a', 3))).toMatchObject({ outcome: 'applied', messages: 1, profile: { events: 1 } })
    expect(apply(3, envelopeOf('a', 3))).toEqual({ outcome: 'replayed', messages: 1 })
    expect(progress.through).toBe(3)
    expect(cache.unstored()).toMatchObject([{ profile: { visitorId: 'a', seq: 3 } }])
  })

  it('lets later messages wait behind one whose profile is read', async () => {
    const { apply, progress, reads, cache } = setUp({ isComplete: false })
    const order: number[] = []
    const results = [1, 2].map(seq => apply(seq, envelopeOf('a', seq)) as Promise<StepResult>)
    for (const [index, result] of results.entries()) result.then(() => order.push(index))
    expect([progress.through, progress.pending]).toEqual([0, 2])
    reads[0]!()
    await Promise.all(results)
    expect(order).toEqual([0, 1])
    expect(progress.through).toBe(2)
    expect(cache.get('shop', 'a')).toMatchObject({ events: 2, seq: 2 })
  })

  it('goes on behind a message that cannot be applied only when that is stored as a dead letter', async () => {
    const { apply, progress, deadLetters, cache } = setUp({ isComplete: true })
    const error = new Error('not JSON')
    const rejected = apply(1, error)
    const next = apply(2, envelopeOf('a', 2))
    await new Promise(resolve => setImmediate(resolve))
    expect(deadLetters).toMatchObject([{ seq: 1 }])
    expect(progress.through).toBe(0)
    expect(cache.size).toBe(0)
    deadLetters[0]!.stored()
    expect(await rejected).toEqual({ outcome: 'bad', messages: 1, error })
    expect(await next).toMatchObject({ outcome: 'applied' })
    expect(progress.through).toBe(2)
  })

  it('changes a profile in turn with the messages, each made of the state before', async () => {
    const { apply, reads, cache, progress } = setUp({ isComplete: false })
    const first = apply(1, envelopeOf('a', 1))
    const changed = apply.change('shop', 'a', profile => ({ ...profile, traits: { events: profile.events } }))
    const next = apply(2, envelopeOf('a', 2))
    expect(progress.through).toBe(0)
    reads[0]!()
    await Promise.all([first, changed, next])
    expect(cache.get('shop', 'a')).toMatchObject({ events: 2, traits: { events: 1 }, seq: 2 })
    expect(progress.through).toBe(2)
    // Nothing waits any more: it is done at once.
    expect(apply.change('shop', 'a', profile => ({ ...profile, traits: {} }))).toBeUndefined()
    expect(cache.unstored()).toMatchObject([{ profile: { traits: {} } }])
  })

  it('changes no profile that there is not, and stores none that stayed as it was', async () => {
    const { apply, cache } = setUp({ isComplete: true })
    apply.change('shop', 'a', profile => ({ ...profile }))
    expect(cache.size).toBe(0)
    apply(1, envelopeOf('a', 1))
    const [{ profile, revision } = { profile: undefined, revision: 0 }] = cache.unstored()
    cache.markStored(profile!, revision)
    apply.change('shop', 'a', same => same)
    expect(cache.unstored()).toEqual([])
  })
})
