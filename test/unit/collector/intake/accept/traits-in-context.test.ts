import { describe, expect, it } from 'vitest'
import { moveTraits } from '#collector/intake/accept/traits-in-context.js'

function moved(given: Record<string, unknown>) {
  const message = structuredClone(given)
  return { did: moveTraits(message), message }
}

describe('traits in the context', () => {
  it('of an identify without others become its traits', () => {
    const sent = { type: 'identify', userId: 'u', context: { traits: { plan: 'pro' }, library: { name: 'x' } } }
    const message = { type: 'identify', userId: 'u', traits: { plan: 'pro' }, context: { library: { name: 'x' } } }
    expect(moved(sent)).toEqual({ did: true, message })
    expect(moved({ ...sent, traits: null })).toEqual({ did: true, message })
  })

  it.each([
    ['its own traits', { type: 'identify', traits: {}, context: { traits: { a: 1 } } }],
    ['another type', { type: 'track', context: { traits: { a: 1 } } }],
    ['no context', { type: 'identify', context: null }],
    ['traits that are none', { type: 'identify', context: { traits: 'x' } }],
    ['traits of the wrong type', { type: 'identify', traits: 7, context: { traits: { a: 1 } } }],
  ])('stay with %s', (_what, message) => {
    expect(moved(message)).toEqual({ did: false, message })
  })

  it('of what is no message are none', () => {
    for (const raw of [null, undefined, 7, 'identify', []]) expect(moveTraits(raw)).toBe(false)
  })
})
