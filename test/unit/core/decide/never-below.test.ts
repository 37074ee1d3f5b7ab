import type { Content, PolicySpec } from '@slotstream/protocol'
import { expect, it } from 'vitest'
import { factsOf } from '#core/catalog/content-facts.js'
import { PROBABILITY_SCALE } from '#core/draw/probability.js'
import { createLearningSlot } from '../policies/some-learning.js'
import { decideOne } from './some-question.js'

const CONTENTS = Array.from({ length: 20 }, (_, n): Content => {
  return { id: `c${String(n).padStart(2, '0')}`, slots: ['hero'], category: `of-${n % 3}`, payload: {} }
})

/** A model by which the first content is by far the best. */
function learned() {
  const slot = createLearningSlot()
  for (let n = 0; n < 600; n++) {
    const content = CONTENTS[n % CONTENTS.length]!
    slot.learn({ person: { personId: 'p' }, context: {} }, factsOf(content), content === CONTENTS[0] ? 1 : 0)
  }
  return slot.read()
}

it.each([
  undefined,
  { type: 'contextual', draw: 'gaps' },
  { type: 'contextual', draw: 'samples' },
  { type: 'thompson' },
  { type: 'popular', bySegment: false },
  { type: 'trending', bySegment: false },
] as (PolicySpec | undefined)[])('no content has less of a chance than the slot wants: %j', policy => {
  const model = learned()
  const chances = (exploration: { atLeast: number; neverBelow?: number }, count = 1) => {
    const slot = { id: 'hero', count, holdout: 0, exploration, ...(policy && { policy }) }
    const asked = { siteId: 'shop', visitorId: 'v', profile: undefined, now: model.asOf, seed: 's' }
    const { stages } = decideOne({ ...asked, slot, contents: CONTENTS, model })
    return stages[0]!.probabilities.map(units => units / PROBABILITY_SCALE)
  }
  const best = (all: number[]) => Math.max(...all)
  const least = (all: number[]) => Math.min(...all)
  const without = chances({ atLeast: 0.02 })
  const withIt = chances({ atLeast: 0.02, neverBelow: 0.01 })
  expect(least(without)).toBeLessThan(0.005)
  expect(least(withIt)).toBeGreaterThanOrEqual(0.01 - 1e-6)
  // What is not needed for that is still the best one's.
  expect(best(withIt)).toBeGreaterThan(0.2)
  expect(least(chances({ atLeast: 0.5, neverBelow: 0.001 }))).toBeGreaterThanOrEqual(0.025 - 1e-6)
  // There is no room for more than all alike.
  const alike = chances({ atLeast: 0.02, neverBelow: 0.3 })
  expect(best(alike) - least(alike)).toBeLessThan(1e-6)
})
