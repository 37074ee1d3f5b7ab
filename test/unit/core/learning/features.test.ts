import { describe, expect, it } from 'vitest'
import { crossFacts, featuresOf, MAX_FEATURES } from '#core/learning/features/cross.js'
import { MAX_TOKENS, tokensOf } from '#core/learning/features/tokens.js'
import { interestsOf } from '#core/replay/situation-of-record.js'

const CONTENT = { id: 'c', category: 'hats', brand: 'acme', tags: ['a', 'b', 'c', 'd', 'e'], price: 19.99 }
const many = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`name${n}`, n]))

describe('tokens', () => {
  it('are the same for the same facts in any order', () => {
    const one = tokensOf({ context: { a: 1, b: 'x' }, segments: ['s', 't'], affinities: { hats: 1, bags: 1 } })
    const other = tokensOf({ affinities: { bags: 1, hats: 1 }, segments: ['t', 's'], context: { b: 'x', a: 1 } })
    expect(one).toEqual(other)
    expect(one).toHaveLength(5)
  })

  it('tell texts, numbers and booleans apart, by name and value', () => {
    const tokens = [
      { context: { a: '1' } },
      { context: { a: 1 } },
      { context: { a: true } },
      { context: { b: 1 } },
      { traits: { a: 1 } },
      { features: { a: 1 } },
      { segments: ['a'] },
    ].map(facts => tokensOf(facts)[0])
    expect(new Set(tokens).size).toBe(tokens.length)
  })

  it('leave out what is neither, nested, or a long text', () => {
    const context = { a: null, b: { c: 1 }, c: [1], d: Number.NaN, e: 'x'.repeat(101), f: undefined }
    expect(tokensOf({ context })).toEqual([])
  })

  it('take numbers by half octaves', () => {
    const tokenOf = (hour: number) => tokensOf({ context: { hour } })[0]
    expect(tokenOf(9)).toBe(tokenOf(10))
    expect(tokenOf(9)).not.toBe(tokenOf(15))
    expect(tokenOf(-9)).not.toBe(tokenOf(9))
    expect(tokenOf(0)).not.toBe(tokenOf(1))
    expect(tokenOf(1e300)).toBe(tokenOf(1e299))
  })

  it('are bounded: the context goes first', () => {
    const tokens = tokensOf({ context: { z: 'z' }, traits: many })
    expect(tokens).toHaveLength(MAX_TOKENS)
    expect(tokens[0]).toBe(tokensOf({ context: { z: 'z' } })[0])
  })
})

describe('categories that are called as what every object has', () => {
  const NAMES = ['constructor', '__proto__', 'toString', 'hasOwnProperty']

  it.each(NAMES)('%s has no share unless the person has an interest in it', name => {
    expect(crossFacts({ affinities: { hats: 1 } }).shareOf(name)).toBe(0)
    expect(crossFacts({}).shareOf(name)).toBe(0)
    const affinities = Object.fromEntries([
      [name, 3],
      ['hats', 1],
    ])
    expect(crossFacts({ affinities }).shareOf(name)).toBe(0.75)
    const { values } = featuresOf(crossFacts({ affinities }), { ...CONTENT, category: name }, 1)
    expect(values.every(Number.isSafeInteger)).toBe(true)
    expect(tokensOf({ affinities })).toHaveLength(1)
    // As records have them, where ClickHouse has a dot for what is within.
    expect(Object.entries(interestsOf({ hats: 1, ...affinities }))).toContainEqual([name, 3])
    expect(Object.entries(interestsOf({ a: affinities }))).toContainEqual([`a.${name}`, 3])
  })
})

describe('features', () => {
  it('are bounded, rise by index, and are whole numbers', () => {
    const facts = crossFacts({ context: many, traits: many, affinities: { hats: 1 } })
    const { indices, values } = featuresOf(facts, CONTENT, 3)
    expect(indices.length).toBeLessThanOrEqual(MAX_FEATURES)
    expect(indices).toEqual([...new Set(indices)].sort((a, b) => a - b))
    expect(indices.every(index => index >= 0 && index < 256)).toBe(true)
    expect(values.every(value => Number.isInteger(value) && value !== 0)).toBe(true)
  })

  it('are the ones that models have been trained with', () => {
    // Sums are kept for months: a change here makes them meaningless, and needs another name for where they are kept.
    const facts = crossFacts({
      context: { daypart: 'morning' },
      traits: { plan: 'pro' },
      affinities: { hats: 2, bags: 1 },
    })
    expect(featuresOf(facts, CONTENT, 2)).toMatchInlineSnapshot(`
      {
        "indices": [
          9,
          20,
          29,
          42,
          49,
          68,
          94,
          110,
          126,
          130,
          193,
          195,
          197,
          210,
          216,
          220,
          223,
          229,
          232,
          234,
          239,
          255,
        ],
        "values": [
          -2,
          -2,
          -2,
          2,
          2,
          -2,
          -2,
          2,
          -2,
          -2,
          -1,
          1,
          1,
          1,
          -1,
          -1,
          2,
          1,
          -1,
          -2,
          1,
          -1,
        ],
      }
    `)
  })
})
