import type { Content, Slot } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { createClauses } from '#core/catalog/clauses.js'
import { compileSlot, compileWithContents, compilingSlot, versioning } from '#core/catalog/compile-slot.js'
import { inOrder, ordering } from '#core/catalog/slot-of-arm.js'
import { slotVersion } from '#core/catalog/slot-version.js'

const SLOT: Slot = { id: 'hero', count: 1, holdout: 0, campaigns: [{ id: 'c', contentIds: ['c7'], mode: 'pin' }] }

const contentOf = (n: number, more: Partial<Content> = {}): Content => ({
  id: `c${n}`,
  slots: ['hero'],
  category: n % 3 === 0 ? 'größe' : 'x',
  payload: {},
  ...(n % 2 === 0 && { where: { 'context.n': n % 5, segments: { $in: ['a'] } }, caps: [{ count: n % 4, per: '1h' }] }),
  ...more,
})

/** Contents by id, in an order that looks random. */
const contentsOf = (count: number) =>
  new Map(Array.from({ length: count }, (_, n) => contentOf((n * 7_919) % count)).map(each => [each.id, each]))

/** @returns what the steps return, and how many times others had a turn */
function stepsOf<T>(steps: Generator<void, T>): [T, number] {
  for (let turns = 0; ; turns++) {
    const step = steps.next()
    if (step.done) return [step.value, turns]
  }
}

describe('a slot that is compiled in steps', () => {
  it.each([0, 1, 99, 100, 101, 500, 1_777])('of %i contents is the one that is compiled at once', count => {
    const contents = contentsOf(count)
    const [sorted] = stepsOf(ordering(contents))
    expect(sorted).toEqual(inOrder(contents.values()))
    const [compiled, turns] = stepsOf(compilingSlot(SLOT, sorted, createClauses()))
    expect(turns).toBe(Math.max(0, Math.ceil(count / 100) - 1))
    const atOnce = compileSlot(SLOT, contents.values(), createClauses())
    stepsOf(versioning(compiled))
    for (const field of ['places', 'columns', 'closed', 'conditions', 'campaigns', 'needs', 'policyVersion'] as const)
      expect(compiled[field]).toEqual(atOnce[field])
    expect(compiled.policyVersion).toBe(slotVersion(SLOT, sorted))
  })

  it('keeps the order of before as long as there are the same ids', () => {
    const contents = contentsOf(1_000)
    const [sorted, turns] = stepsOf(ordering(contents))
    const before = compileWithContents(SLOT, sorted, createClauses()).contents
    contents.set('c5', contentOf(5, { price: 9 }))
    const [again, fewer] = stepsOf(ordering(contents, before))
    expect(again).toEqual(inOrder(contents.values()))
    expect(fewer).toBeLessThan(turns)
    contents.delete('c5')
    contents.set('new', contentOf(5, { id: 'new' }))
    expect(stepsOf(ordering(contents, before))[0]).toEqual(inOrder(contents.values()))
    contents.delete('c6')
    expect(stepsOf(ordering(contents, before))[0]).toEqual(inOrder(contents.values()))
  })
})
