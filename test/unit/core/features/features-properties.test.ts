import type { JsonObject, StoredMessage } from '@slotstream/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BUILT_IN_FEATURES } from '#core/features/built-in.js'
import { compileFeatures } from '#core/features/compile.js'
import { mergeStates } from '#core/features/narrow/merge-states.js'
import { draftFeatures, emptyStates } from '#core/features/state/reduce.js'
import { ALL_KINDS, messageAt } from './some-features.js'

const NOON = Date.UTC(2026, 10, 1, 12)
const MINUTE = 60_000

const features = compileFeatures(BUILT_IN_FEATURES, ALL_KINDS, () => () => true)

const NO_STATES = emptyStates(0)

const messages: fc.Arbitrary<StoredMessage[]> = fc.uniqueArray(
  fc
    .record({
      // Close together and far apart, so that sessions join and windows end, within the 30 days of sessions.
      minutes: fc.oneof(fc.integer({ min: -90, max: 90 }), fc.integer({ min: -60 * 24 * 14, max: 60 * 24 * 14 })),
      seconds: fc.integer({ min: 0, max: 119 }),
      event: fc.constantFrom(
        'Viewed',
        'Bought',
        'page',
        'Product Added',
        'Product Removed',
        'Order Completed',
        'Slot Viewed',
      ),
      category: fc.constantFrom('a', 'b', 'c', 'd', 'e', '__proto__'),
      value: fc.oneof(fc.double({ noNaN: true }), fc.integer({ min: -5, max: 5 }), fc.constantFrom('x', '12.50', true)),
      session: fc.constantFrom(undefined, 's1', 's2'),
    })
    .map(({ minutes, seconds, event, category, value, session }) =>
      messageAt(
        NOON + minutes * MINUTE + seconds * 500,
        event,
        { category, value, product_id: category, revenue: value },
        session ? { sessionId: session, locale: category } : {},
      ),
    ),
  { selector: ({ messageId }) => messageId, maxLength: 40 },
)

function statesOf(all: readonly StoredMessage[], from = NO_STATES) {
  const draft = draftFeatures(from, features)
  for (const message of all) draft.add(message, Date.parse(message.timestamp))
  return draft.soFar()
}

const shuffled = messages.chain(all =>
  fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length })),
)

it('holds the same whatever the order of the messages', () => {
  fc.assert(
    fc.property(shuffled, ([all, other]) => {
      expect(statesOf(other)).toEqual(statesOf(all))
    }),
  )
})

it('holds the same however the messages are cut, and stored in between', () => {
  fc.assert(
    fc.property(messages, fc.array(fc.nat({ max: 40 })), (all, cuts) => {
      const bounds = [...cuts, 0, all.length].map(cut => Math.min(cut, all.length)).sort((a, b) => a - b)
      let states = NO_STATES
      for (let part = 1; part < bounds.length; part++)
        states = JSON.parse(JSON.stringify(statesOf(all.slice(bounds[part - 1], bounds[part]), states)))
      expect(states).toEqual(statesOf(all))
    }),
  )
})

it('merges what two browsers hold as if all messages had been of one', () => {
  fc.assert(
    fc.property(messages, fc.infiniteStream(fc.boolean()), (all, side) => {
      const [left, right]: [StoredMessage[], StoredMessage[]] = [[], []]
      for (const message of all) (side.next().value ? left : right).push(message)
      const [a, b] = [statesOf(left), statesOf(right)]
      const together = statesOf(all)
      expect(mergeStates(a, b, features)).toEqual(together)
      expect(mergeStates(b, a, features)).toEqual(together)
    }),
  )
})

it('merges three browsers alike in any grouping', () => {
  fc.assert(
    fc.property(messages, messages, messages, (x, y, z) => {
      const [a, b, c] = [statesOf(x), statesOf(y), statesOf(z)]
      const leftFirst = mergeStates(mergeStates(a, b, features), c, features)
      expect(leftFirst).toEqual(mergeStates(a, mergeStates(b, c, features), features))
      expect(mergeStates(NO_STATES, a, features)).toEqual(a)
    }),
  )
})

describe('a message with keys and values in one list', () => {
  const inList = compileFeatures(
    [],
    ALL_KINDS.filter(({ entity }) => entity === undefined).map(kind => ({
      ...kind,
      value: 'properties.products.price',
      by: 'properties.products.tags',
    })),
    () => () => true,
  )
  const statesIn = (all: readonly StoredMessage[]) => {
    const draft = draftFeatures(NO_STATES, inList)
    for (const message of all) draft.add(message, Date.parse(message.timestamp))
    return draft.soFar().of
  }

  it('adds the same as one message for each of its elements', () => {
    const element = fc.record(
      {
        price: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.constantFrom('x', '12.50', true, null)),
        tags: fc.oneof(
          fc.constantFrom('a', 'b', 'c', 'd', null),
          fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', {}), { maxLength: 4 }),
        ),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.array(fc.array(element, { maxLength: 5 }), { minLength: 1, maxLength: 3 }), all => {
        const whole = all.map((products, minute) => messageAt(NOON + minute * MINUTE, 'Viewed', { products }))
        const single = whole.flatMap(message =>
          (message.properties!.products as JsonObject[]).map(product => ({
            ...message,
            properties: { products: product },
          })),
        )
        expect(statesIn(whole)).toEqual(statesIn(single))
      }),
      { numRuns: 100 },
    )
  })
})

describe('a message with lists of values and keys', () => {
  const lists = compileFeatures(
    [],
    ALL_KINDS.filter(({ entity }) => entity === undefined).map(kind => ({
      ...kind,
      value: 'properties.values',
      by: 'properties.keys',
    })),
    () => () => true,
  )
  const held = (all: readonly StoredMessage[]) => {
    const draft = draftFeatures(NO_STATES, lists)
    for (const message of all) draft.add(message, Date.parse(message.timestamp))
    return draft.soFar().of
  }

  it('adds the same as one message for each key and value', () => {
    const values = fc.array(fc.oneof(fc.integer({ min: -5, max: 5 }), fc.constantFrom('x', '12.50', true, null)), {
      maxLength: 6,
    })
    const keys = fc.array(fc.integer({ min: 0, max: 150 }).map(String), { maxLength: 130 })
    fc.assert(
      fc.property(fc.array(fc.tuple(values, keys), { minLength: 1, maxLength: 3 }), all => {
        const whole = all.map(([values, keys], minute) => messageAt(NOON + minute * MINUTE, 'Viewed', { values, keys }))
        const single = whole.flatMap(message =>
          (message.properties!.values as []).flatMap(value =>
            [...new Set(message.properties!.keys as string[])].map(key => ({
              ...message,
              properties: { values: value, keys: key },
            })),
          ),
        )
        expect(held(whole)).toEqual(held(single))
      }),
      { numRuns: 50 },
    )
  })

  it('costs the sum of both, not the product', () => {
    let reads = 0
    const many = Array.from({ length: 20_000 }, (_, index) => index)
    const counted = new Proxy(many, {
      get(list, name) {
        if (name === '777') reads++
        return Reflect.get(list, name)
      },
    })
    const message = messageAt(NOON, 'Viewed', { values: counted, keys: many })
    expect(Object.keys(held([message])).length).toBeGreaterThan(5)
    expect(reads).toBeLessThan(5 * lists.byName.size)
  })
})
