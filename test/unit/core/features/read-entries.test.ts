import type { JsonObject } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { ALL_BUILT_IN_FEATURES } from '#core/features/default-features.js'
import { compileEntries } from '#core/features/input/read-entries.js'
import { messageAt } from './some-features.js'

const read = (by: string, value: string, properties: JsonObject) =>
  compileEntries(by, value)?.(messageAt(0, 'E', properties))?.map(({ keys, values }) => [keys, values])

const PRODUCTS = { products: [{ category: 'camp', price: 100 }, { category: 'home', price: 5 }, { price: 7 }] }

it.each([
  [
    ...['properties.products.category', 'properties.products.price'],
    PRODUCTS,
    [
      [['camp'], [100]],
      [['home'], [5]],
      [[], [7]],
    ],
  ],
  [
    'product.category',
    'properties.products.price',
    PRODUCTS,
    [
      [['camp'], [100]],
      [['home'], [5]],
      [[], [7]],
    ],
  ],
  [
    'properties.tags',
    'properties.tags',
    { tags: ['a', 'b'] },
    [
      [['a'], ['a']],
      [['b'], ['b']],
    ],
  ],
  [
    ...['properties.orders.products.tags', 'properties.orders.products.price'],
    { orders: [{ products: [{ tags: ['a', 'b'], price: 1 }] }, { products: { tags: 'c', price: 2 } }] },
    [
      [['a', 'b'], [1]],
      [['c'], [2]],
    ],
  ],
  // The list that is shared is that of orders: each product of an order counts for it.
  [
    ...['properties.orders.shop', 'properties.orders.products.price'],
    {
      orders: [
        { shop: 'x', products: [{ price: 1 }, { price: 2 }] },
        { shop: 'y', products: [{ price: 4 }] },
      ],
    },
    [
      [['x'], [1, 2]],
      [['y'], [4]],
    ],
  ],
  // One path names an element, so that they do not go through the list together.
  ['properties.products.0.category', 'properties.products.price', PRODUCTS, undefined],
  ['properties.products.0.category', 'properties.products.0.price', PRODUCTS, undefined],
  ['properties.category', 'properties.price', { category: 'camp', price: 1 }, undefined],
  ['properties.categories', 'properties.prices', { categories: ['a', 'b'], prices: [1, 2] }, undefined],
  ['userId', 'properties.price', {}, undefined],
] as [string, string, JsonObject, unknown][])('by %s and value %s read %j', (by, value, properties, expected) => {
  expect(read(by, value, properties)).toEqual(expected)
})

describe('by product.category an element without a category', () => {
  const products: JsonObject[] = [{ price: 5 }, { category: 'camp', price: 100 }, { category: '', price: 7 }]
  const expected = [
    [['tents'], [5]],
    [['camp'], [100]],
    [['tents'], [7]],
  ]

  it('has that of the properties', () => {
    expect(read('product.category', 'properties.products.price', { category: 'tents', products })).toEqual(expected)
    expect(read('properties.products.price', 'product.category', { category: 'tents', products })).toEqual(
      expected.map(entry => entry.toReversed()),
    )
  })

  it('has that of the content', () => {
    const message = { ...messageAt(0, 'E', { products }), context: { content: { category: 'tents' } } }
    const entries = compileEntries('product.category', 'properties.products.price')!(message as never)
    expect(entries!.map(({ keys, values }) => [keys, values])).toEqual(expected)
  })

  it('has none by the path of the list itself', () => {
    const [first] = read('properties.products.category', 'properties.products.price', { category: 'tents', products })!
    expect(first).toEqual([[], [5]])
  })
})

it('no built-in feature, and none of two plain fields, has keys and values in one list', () => {
  const pairs = ALL_BUILT_IN_FEATURES.flatMap(({ by, value }) => (by && typeof value === 'string' ? [[by, value]] : []))
  expect(pairs.length).toBeGreaterThan(1)
  for (const [by, value] of [...pairs, ['product.category', 'properties.price'], ['context.a', 'context.b']])
    expect(compileEntries(by!, value!)).toBeUndefined()
})
