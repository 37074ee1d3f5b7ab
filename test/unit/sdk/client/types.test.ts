import { expectTypeOf, it } from 'vitest'
import type { personalize, SlotDecision } from '#sdk/entries/index.js'

interface Hero {
  title: string
  price?: number
}

/** Never called: the compiler reads it. */
const ask = null as unknown as typeof personalize

it('personalize has the type of its payloads', () => {
  expectTypeOf<ReturnType<typeof ask<Hero>>>().resolves.toEqualTypeOf<SlotDecision<Hero>>()
  expectTypeOf<SlotDecision<Hero>['items'][number]['payload']>().toEqualTypeOf<Hero>()
  expectTypeOf<Parameters<typeof ask<Hero>>[1]>().extract<{ fallback?: unknown }>().toHaveProperty('fallback')
  expectTypeOf<NonNullable<NonNullable<Parameters<typeof ask<Hero>>[1]>['fallback']>>().toEqualTypeOf<Hero[]>()
})

it('personalize without a type has payloads that must be looked into', () => {
  const untyped = () => ask('hero')
  expectTypeOf<ReturnType<typeof untyped>>().resolves.toEqualTypeOf<SlotDecision>()
  expectTypeOf<SlotDecision['items'][number]['payload']>().toEqualTypeOf<Record<string, unknown>>()
})
