import type { ReactElement, RefCallback } from 'react'
import * as sdk from 'slotstream'
import type * as parts from 'slotstream/parts'
import type * as react from 'slotstream/react'
import { describe, expectTypeOf, it } from 'vitest'

/**
 * What pages compile against: `tsc -b` fails here before it fails there. Types that may grow (outcomes, options) are
 * checked for what they must keep taking and giving.
 */
describe('the public types', () => {
  it('take any event name, and properties that are optional, where no tracking plan is declared', () => {
    type Track = typeof sdk.track<string>
    expectTypeOf<Track>().parameter(0).toEqualTypeOf<string>()
    expectTypeOf<['Product Viewed']>().toExtend<Parameters<Track>>()
    expectTypeOf<['Product Viewed', { price: number }]>().toExtend<Parameters<Track>>()
    expectTypeOf<['Product Viewed', 5]>().not.toExtend<Parameters<Track>>()
    expectTypeOf<[]>().not.toExtend<Parameters<Track>>()
    expectTypeOf<Track>().returns.toEqualTypeOf<void>()
  })

  it('need a write key and nothing else to start', () => {
    expectTypeOf<{ writeKey: string }>().toExtend<sdk.Options>()
    expectTypeOf<{ endpoint: string }>().not.toExtend<sdk.Options>()
    expectTypeOf<{ writeKey: string; consent: { analytics: 'denied' } }>().toExtend<sdk.Options>()
    expectTypeOf<{ writeKey: string; consent: 'perhaps' }>().not.toExtend<sdk.Options>()
    expectTypeOf<{ writeKey: string; parts: [typeof parts.clicks] }>().toExtend<sdk.Options>()
    expectTypeOf<typeof sdk.init>().toEqualTypeOf<(options: sdk.Options) => void>()
  })

  it('say what a person, a group and an alias are', () => {
    type Identified = Parameters<typeof sdk.identify>
    expectTypeOf<['u']>().toExtend<Identified>()
    expectTypeOf<['u', { plan: string }, { signature: string | undefined }]>().toExtend<Identified>()
    expectTypeOf<[number]>().not.toExtend<Identified>()
    expectTypeOf<Parameters<typeof sdk.group>>().toEqualTypeOf<[groupId: string, traits?: sdk.Properties]>()
    expectTypeOf<Parameters<typeof sdk.alias>>().toEqualTypeOf<[userId: string]>()
  })

  it('promise a decision for a slot, whose items have a payload', () => {
    const ask = () => sdk.personalize('hero')
    expectTypeOf(ask).returns.resolves.toEqualTypeOf<sdk.SlotDecision>()
    expectTypeOf<['hero']>().toExtend<Parameters<typeof sdk.personalize>>()
    expectTypeOf<{ count: undefined; timeout: 300; signal: AbortSignal }>().toExtend<sdk.PersonalizeOptions>()
    expectTypeOf<'served' | 'holdout' | 'empty' | 'timeout' | 'unavailable'>().toExtend<sdk.SlotOutcome>()
    expectTypeOf<sdk.SlotDecision['items']>().toEqualTypeOf<sdk.SlotItem[]>()
    expectTypeOf<sdk.SlotItem<{ title: string }>['payload']>().toEqualTypeOf<{ title: string }>()
    expectTypeOf<sdk.SlotDecision | sdk.SlotDecision[]>().toExtend<Parameters<typeof sdk.hydrate>[0]>()
  })

  it('let middleware change, keep or drop a message', () => {
    expectTypeOf<(message: sdk.Message) => sdk.Message>().toExtend<sdk.Middleware>()
    expectTypeOf<(message: sdk.Message) => null>().toExtend<sdk.Middleware>()
    expectTypeOf<(message: sdk.Message) => void>().not.toExtend<sdk.Middleware>()
    expectTypeOf<typeof sdk.addMiddleware>().toEqualTypeOf<(change: sdk.Middleware) => () => void>()
  })

  it('take consent for both purposes or one, and give both back', () => {
    type Choice = Parameters<typeof sdk.consent>[0]
    expectTypeOf<'granted'>().toExtend<Choice>()
    expectTypeOf<{ analytics: 'denied' }>().toExtend<Choice>()
    expectTypeOf<{ marketing: 'granted' }>().not.toExtend<Choice>()
    expectTypeOf<typeof sdk.consent>().returns.toEqualTypeOf<sdk.Consent | undefined>()
  })

  it('carry the type of a payload through React', () => {
    type Payload = { title: string }
    type Answer = ReturnType<typeof react.useSlot<Payload>>
    expectTypeOf<Answer['items'][number]['payload']>().toEqualTypeOf<Payload>()
    expectTypeOf<Answer['outcome']>().toEqualTypeOf<sdk.SlotOutcome | 'waiting'>()
    expectTypeOf<Answer['watch']>().returns.toEqualTypeOf<RefCallback<Element>>()
    expectTypeOf<typeof react.Slot<Payload>>().returns.toEqualTypeOf<ReactElement>()
    expectTypeOf<Parameters<react.SlotProps<Payload>['children']>[0]>().toExtend<sdk.SlotItem<Payload>>()
  })
})
