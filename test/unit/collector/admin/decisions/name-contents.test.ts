import { recordedVersion } from '@slotstream/core'
import type { Content, ContentsThenRequest, Experiment, Slot } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { nameContents } from '#collector/admin/decisions/name-contents.js'

const SLOT: Slot = { id: 'hero', count: 1, holdout: 0 }
const content = (id: string): Content => ({ id, slots: ['hero'], category: 'c', payload: {} })
const AT = Date.parse('2026-11-01T12:00:00Z')
const at = (minutes: number) => new Date(AT + minutes * 60_000)
const EXPERIMENT = {
  id: 'x',
  slot: 'hero',
  arms: [
    { id: 'a', share: 0.5 },
    { id: 'b', share: 0.5, contentIds: ['two'] },
  ],
}

/** Revisions of a catalog by their minute, the last of them the one that is served. */
function some(revisions: Record<number, string[]>, experiments: Record<number, unknown[]> = {}) {
  const kept = Object.entries(revisions).map(([minute, ids], index) => ({ revision: index + 1, minute: +minute, ids }))
  const sets = Object.entries(experiments).map(([minute, list], index) => ({
    revision: index + 1,
    at: at(+minute),
    experiments: list as Experiment[],
  }))
  const whole = ({ revision, minute, ids }: (typeof kept)[number]) => ({
    revision,
    at: at(minute).toISOString(),
    slots: [SLOT],
    content: ids.map(content),
  })
  return {
    readContentsThen: async (_request: ContentsThenRequest): Promise<string[] | undefined> => undefined,
    catalog: {
      read: async () => whole(kept.at(-1)!),
      history: async () => kept.toReversed().map(whole) as never,
      readRevision: async (_site: string, revision: number) => whole(kept[revision - 1]!),
    },
    experimentStore: {
      read: async () => setOf(sets.at(-1)),
      history: async () => sets.toReversed(),
      readRevision: async (_site: string, revision: number) => setOf(sets[revision - 1]),
    },
  }
}

const setOf = (set?: { revision: number; experiments: Experiment[] }) => ({
  revision: set?.revision ?? 0,
  at: '',
  experiments: set?.experiments ?? [],
})

function recordOf(ids: string[], arm?: (typeof EXPERIMENT.arms)[number]) {
  const contents = new Map(ids.map(id => [id, content(id)]))
  const { policyVersion } = recordedVersion(SLOT, contents, arm)
  const assigned = arm ? { experiment: 'x', arm: arm.id } : {}
  return { slotId: 'hero', policyVersion, timestamp: at(0).toISOString(), ...assigned }
}

describe('the contents of a version', () => {
  it('are those of the catalog that is served, if it is the one', async () => {
    expect(await nameContents(some({ 5: ['two', 'one'] }), 'shop', recordOf(['one', 'two']))).toEqual(['one', 'two'])
  })

  it('are those of the revision that was served then', async () => {
    const revisions = { [-9]: ['zero'], [-5]: ['one', 'two'], 1: ['one'], 2: ['two'], 3: ['three'], 4: ['four'] }
    expect(await nameContents(some(revisions), 'shop', recordOf(['one', 'two']))).toEqual(['one', 'two'])
  })

  it('are not guessed where no kept revision is the one', async () => {
    expect(await nameContents(some({ 5: ['one'] }), 'shop', recordOf(['one', 'two']))).toBeUndefined()
    const other = { ...recordOf(['one']), slotId: 'teaser' }
    expect(await nameContents(some({ 5: ['one'] }), 'shop', other)).toBeUndefined()
  })

  it('are asked of the tables where the catalog keeps no such revision, with the ways in which the slot may have chosen', async () => {
    const asked: ContentsThenRequest[] = []
    const tables = (deps: ReturnType<typeof some>) => ({
      ...deps,
      readContentsThen: async (request: ContentsThenRequest) => {
        asked.push(request)
        return ['one', 'two']
      },
    })
    const record = recordOf(['one', 'two'])
    expect(await nameContents(tables(some({ 5: ['two', 'one'] })), 'shop', record)).toEqual(['one', 'two'])
    expect(asked).toEqual([])
    expect(await nameContents(tables(some({ 5: ['one'] })), 'shop', record)).toEqual(['one', 'two'])
    const { slotId, policyVersion } = record
    expect(asked).toEqual([{ siteId: 'shop', slotId, policyVersion, at: AT, ways: [null] }])
    // Of an arm that is kept nowhere there is nothing to compare with.
    const [, arm] = EXPERIMENT.arms
    expect(await nameContents(tables(some({ 5: ['one'] })), 'shop', recordOf(['one'], arm))).toBeUndefined()
    expect(asked).toHaveLength(1)
  })

  it('are those of the arm that the person was in, also after the experiment', async () => {
    const [, arm] = EXPERIMENT.arms
    const record = recordOf(['one', 'two'], arm)
    const revisions = { [-1]: ['one', 'two'] }
    expect(await nameContents(some(revisions, { [-1]: [EXPERIMENT] }), 'shop', record)).toEqual(['two'])
    expect(await nameContents(some(revisions, { [-1]: [EXPERIMENT], 9: [] }), 'shop', record)).toEqual(['two'])
    expect(await nameContents(some(revisions), 'shop', record)).toBeUndefined()
  })

  it('are those of the arm as which a slot chooses for everybody since its experiment ended', async () => {
    const [, arm] = EXPERIMENT.arms
    const {
      experiment: _none,
      arm: _neither,
      ...record
    } = { experiment: '', arm: '', ...recordOf(['one', 'two'], arm) }
    const stopped = { ...EXPERIMENT, stopped: { at: at(-2).toISOString(), reason: 'better', arm: 'b' } }
    const revisions = { [-1]: ['one', 'two'] }
    expect(await nameContents(some(revisions, { [-1]: [stopped] }), 'shop', record)).toEqual(['two'])
    expect(await nameContents(some(revisions, { [-1]: [stopped], 9: [] }), 'shop', record)).toEqual(['two'])
    expect(await nameContents(some(revisions, { [-1]: [EXPERIMENT] }), 'shop', record)).toBeUndefined()
  })
})
