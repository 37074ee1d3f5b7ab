import { type FeatureDefinition, hash32, type Json, type StoredMessage } from '@slotstream/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileFeatures } from '#core/features/compile.js'
import { ALL_BUILT_IN_FEATURES } from '#core/features/default-features.js'
import { createIsApproximate } from '#core/features/narrow/is-approximate.js'
import { mergeStates } from '#core/features/narrow/merge-states.js'
import { draftFeatures, emptyStates } from '#core/features/state/reduce.js'
import { featureValues } from '#core/features/state/values.js'
import { messageAt } from './some-features.js'

const NOON = Date.UTC(2026, 10, 1, 12)
const HOUR = 3_600_000

/** Keys of the features by key: fewer than the lists have, so that both bounds are met. */
const KEYS = 60

const DECLARED: FeatureDefinition[] = [{}, { window: '24h' }, { window: 'session' }].flatMap((window, index) => [
  ...(['unique', 'mode', 'topK', 'distinct'] as const).map(aggregate => ({
    ...{ name: `${aggregate}_${index}`, source: { event: 'Seen' }, value: 'properties.value', aggregate, ...window },
  })),
  {
    ...{ name: `count_by_${index}`, source: { event: 'Seen' }, by: 'properties.value', keys: KEYS, ...window },
    aggregate: 'count' as const,
  },
  {
    ...{ name: `unique_by_${index}`, source: { event: 'Seen' }, by: 'properties.key', value: 'properties.value' },
    ...{ aggregate: 'unique' as const, ...window },
  },
])
const DECAYED: FeatureDefinition = {
  ...{ name: 'decayed', source: { event: 'Seen' }, by: 'properties.value', keys: KEYS, aggregate: 'count' },
  halfLife: '30d',
}
const features = compileFeatures(ALL_BUILT_IN_FEATURES, [...DECLARED, DECAYED], () => () => true)

const MOST: Record<string, number> = { unique: 100, mode: 100, topK: 100, distinct: 128, count_by: KEYS, decayed: KEYS }

function statesOf(messages: readonly StoredMessage[]) {
  const draft = draftFeatures(emptyStates(0), features)
  for (const message of messages) draft.add(message, Date.parse(message.timestamp))
  return draft.soFar()
}

const isCut = (states: ReturnType<typeof statesOf>, name: string, at = NOON) =>
  createIsApproximate(states, features, at)(features.byName.get(name)!)

const seen = (value: string | readonly string[], at = NOON, key = 'k') =>
  messageAt(at, 'Seen', { key, value: value as Json }, { sessionId: 's' })

/** Values around each of the bounds, some of them more than once, in two parts. */
const parts = fc
  .tuple(
    fc.constantFrom(0, 1, 59, 60, 61, 99, 100, 101, 127, 128, 129, 200),
    fc.nat({ max: 1_000 }),
    fc.nat({ max: 40 }),
  )
  .chain(([values, from, again]) => {
    const names = Array.from({ length: values }, (_, at) => `v${from + at}`)
    const all = [...names, ...names.slice(0, again)].map((name, at) => ({ ...seen(name), messageId: `m${at}` }))
    return fc.tuple(
      fc.constant(names),
      fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }),
      fc.nat({ max: all.length }),
    )
  })

describe('a value', () => {
  it('is approximate if, and only if, there was more than its feature keeps, in any order and merge', () => {
    fc.assert(
      fc.property(parts, ([names, all, cut]) => {
        const [a, b] = [statesOf(all.slice(0, cut)), statesOf(all.slice(cut))]
        const merged = [statesOf(all), mergeStates(a, b, features), mergeStates(b, a, features)]
        for (const states of merged)
          for (const { name } of [...DECLARED, DECAYED]) {
            const most = MOST[name.replace(/_\d$/, '')] ?? 100
            expect([name, isCut(states, name)]).toEqual([name, names.length > most])
          }
      }),
      { numRuns: 60 },
    )
  })

  it('that is not approximate is that of a naive count', () => {
    fc.assert(
      fc.property(parts, ([names, all]) => {
        const states = statesOf(all)
        const values = featureValues(states, features, NOON)
        const times = (name: string) => all.filter(({ properties }) => properties!.value === name).length
        for (const index of [0, 1, 2]) {
          const held = (name: string) => values.get(`${name}_${index}`)!.value
          if (names.length <= 128) expect(held('distinct')).toBe(names.length)
          const sorted = [...names].sort()
          if (names.length <= 100) expect(held('unique')).toEqual(sorted)
          const best = sorted.sort((x, y) => times(y) - times(x))
          if (names.length <= 100) expect(held('topK')).toEqual(best.slice(0, 10))
          if (names.length <= 100) expect(held('mode')).toEqual(best[0] ?? null)
          // Beyond the bound as well: keys that are there have their exact value.
          const left = names.toSorted((x, y) => hash32(x) - hash32(y)).slice(0, KEYS)
          expect(held('count_by')).toEqual(Object.fromEntries(left.map(name => [name, times(name)])))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('is not approximate any more when its window has passed what was too much', () => {
    const many = Array.from({ length: 101 }, (_, at) => seen(`v${at}`, NOON))
    const states = statesOf([...many, seen('late', NOON + 20 * HOUR)])
    for (const name of ['unique_1', 'count_by_1']) {
      expect(isCut(states, name, NOON + 20 * HOUR)).toBe(true)
      expect(isCut(states, name, NOON + 30 * HOUR)).toBe(false)
    }
    expect(isCut(states, 'unique_2', NOON)).toBe(true)
    expect(isCut(states, 'unique_2', NOON + 30 * HOUR)).toBe(false)
  })

  it('is approximate where slots of time have too much together only', () => {
    const hourly = [0, 1, 2, 3].flatMap(hour =>
      Array.from({ length: 30 }, (_, at) => seen(`${hour}-${at}`, NOON - hour * HOUR)),
    )
    const states = statesOf(hourly)
    expect(['unique_1', 'count_by_1', 'decayed'].map(name => isCut(states, name))).toEqual([true, true, true])
    const few = statesOf(
      hourly.map(message => seen(String(message.properties!.value).slice(2), Date.parse(message.timestamp))),
    )
    expect(['unique_1', 'count_by_1', 'decayed'].map(name => isCut(few, name))).toEqual([false, false, false])
  })

  it('is approximate where one message has too much', () => {
    const listOf = (length: number) => Array.from({ length }, (_, at) => `v${at}`)
    for (const name of ['unique_0', 'count_by_0', 'unique_by_0', 'decayed', 'topK_2'])
      expect([name, isCut(statesOf([seen(listOf(150))]), name)]).toEqual([name, true])
    expect(isCut(statesOf([seen(listOf(KEYS))]), 'count_by_0')).toBe(false)
  })

  it('of a cart is approximate after fifty changes since it was emptied', () => {
    const added = (number: number) => messageAt(NOON + number, 'Product Added', { product_id: `p${number % 7}` })
    const changes = Array.from({ length: 51 }, (_, number) => added(number))
    expect(isCut(statesOf(changes.slice(1)), 'cart')).toBe(false)
    const states = statesOf(changes)
    expect(isCut(states, 'cart')).toBe(true)
    expect(featureValues(states, features, NOON).get('cart')!.value).toMatchObject({ quantity: 50 })
    expect(isCut(statesOf([...changes, messageAt(NOON + 25, 'Order Completed')]), 'cart')).toBe(false)
  })

  it('that needs no bound is never approximate', () => {
    const states = statesOf(Array.from({ length: 300 }, (_, at) => seen(`v${at}`)))
    const cut = [...features.byName.keys()].filter(name => isCut(states, name))
    expect(cut.toSorted()).toEqual([...DECLARED, DECAYED].map(({ name }) => name).toSorted())
  })
})
