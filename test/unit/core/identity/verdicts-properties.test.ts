import type { IdentityChange } from '@slotstream/protocol'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { applyChanges } from '#core/identity/name-users.js'
import { createPeople } from '../patterns/people.js'
import { heldOf, named, START } from './held-browsers.js'

/** Messages of 51 to 130 browsers that name a user within 100 days, some of them twice, in any order. */
const namings = fc.integer({ min: 51, max: 130 }).chain(count =>
  fc
    .array(fc.integer({ min: 0, max: 100 }), { minLength: count + 20, maxLength: count + 20 })
    .map(days => days.map((day, index) => named(`b${index % count}`, day)))
    .chain(all => fc.shuffledSubarray(all, { minLength: all.length })),
)

it('is in the end known to their own partitions, in whatever order all is told, and however often', () => {
  fc.assert(
    fc.property(
      namings,
      fc.infiniteStream(fc.tuple(fc.nat(), fc.constantFrom(1, 1, 2))),
      fc.array(fc.nat({ max: 50 }), { maxLength: 3 }),
      (messages, turns, undone) => {
        const [people, inOrder] = [createPeople(), createPeople()]
        for (const message of messages) {
          people.send(message)
          const [turn, times] = turns.next().value
          const visitors = people.visitors()
          people.step(visitors[turn % visitors.length]!, times)
        }
        for (const message of messages) {
          inOrder.send(message)
          inOrder.settle()
        }
        for (const each of [people, inOrder]) {
          for (const index of undone) each.decide(`b${index}`, 'ann', 'undone', START)
          each.settle()
        }
        const browsers = [...new Set(messages.map(({ anonymousId }) => anonymousId))]
        const [own, ofUser] = heldOf(people, browsers)
        expect(own).toEqual(ofUser)
        expect(heldOf(inOrder, browsers)[0]).toEqual(own)
      },
    ),
    { numRuns: 15 },
  )
})

it('gives a browser the same links in whatever order it is told, and however often', () => {
  const link = (at: number) => ({ firstAt: at, lastAt: at, cause: 'identify' })
  const change = fc.record({
    anonymousId: fc.constant('b1'),
    userId: fc.constantFrom('ann', 'ben'),
    link: fc.integer({ min: 1, max: 3 }).map(link),
    verdict: fc.option(fc.record({ isHeld: fc.boolean(), seq: fc.nat({ max: 4 }) }), { nil: undefined }),
  })
  fc.assert(
    fc.property(
      fc
        .array(change, { minLength: 1, maxLength: 10 })
        .chain(all => fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length }))),
      ([all, shuffled]) => {
        const changes = (list: typeof all) => list as IdentityChange[]
        expect(applyChanges({}, 'b1', changes(shuffled))).toEqual(applyChanges({}, 'b1', changes(all)))
      },
    ),
  )
})
