import type { StoredMessage, TrackingPlan } from '@slotstream/protocol'
import { createLog } from '@slotstream/runtime'
import { describe, expect, it } from 'vitest'
import { createPlans } from '#collector/plan/plans.js'

const log = createLog('test')
log.level = 'silent'

/** A plan that wants one property, named after it. */
const wants = (name: string, mode: TrackingPlan['mode'] = 'enforce'): TrackingPlan => ({
  mode,
  unplanned: 'allow',
  schemas: { E: { '1-0-0': { type: 'object', required: [name] } } },
})
const put = (revision: number, plan: unknown) => ({
  key: 'shop',
  operation: 'PUT' as const,
  revision,
  plan,
  // As the client's entries do: it can't be taken off its entry.
  json<T>(): T {
    return this.plan as T
  },
})
const gone = (revision: number) => ({ ...put(revision, undefined), operation: 'DEL' as const })
const message = { type: 'track', event: 'E', properties: {} } as unknown as StoredMessage
const missing = (plans: ReturnType<typeof createPlans>) => plans.of('shop')?.check(message)?.path

describe('plans that follow their bucket', () => {
  it('keep the old plan until the new one is compiled', async () => {
    const plans = createPlans(log)
    expect(plans.of('shop')).toBeUndefined()
    plans.apply(put(1, wants('a')))
    await plans.settled()
    expect(missing(plans)).toBe('$.properties.a')
    plans.apply(put(2, wants('b')))
    expect(missing(plans)).toBe('$.properties.a')
    await plans.settled()
    expect(missing(plans)).toBe('$.properties.b')
    plans.apply(put(3, wants('b', 'off')))
    await plans.settled()
    expect(plans.of('shop')).toBeUndefined()
  })

  it('end up with the newest of many changes in a row', async () => {
    const used: number[] = []
    const plans = createPlans(log, (_site, revision) => used.push(revision))
    for (let revision = 1; revision <= 20; revision++) plans.apply(put(revision, wants(`p${revision}`)))
    await plans.settled()
    expect(missing(plans)).toBe('$.properties.p20')
    expect(used).toEqual([20])
  })

  it('are not set back by a change that the watch tells late', async () => {
    const plans = createPlans(log)
    plans.take('shop', await plans.compile('shop', wants('new')), 5)
    plans.apply(put(4, wants('old')))
    await plans.settled()
    expect(missing(plans)).toBe('$.properties.new')
    plans.apply(put(5, wants('new')))
    plans.apply(put(6, wants('newer')))
    await plans.settled()
    expect(missing(plans)).toBe('$.properties.newer')
  })

  it('go when they are removed, and do not come back by a compilation under way', async () => {
    const plans = createPlans(log)
    plans.apply(put(1, wants('a')))
    plans.apply(gone(2))
    await plans.settled()
    expect(plans.of('shop')).toBeUndefined()
    plans.apply(put(3, wants('a')))
    await plans.settled()
    plans.take('shop', undefined, 4)
    plans.apply(put(3, wants('a')))
    await plans.settled()
    expect(plans.of('shop')).toBeUndefined()
  })

  it('stay as they are when what is stored cannot be used', async () => {
    const plans = createPlans(log)
    plans.apply(put(1, wants('a')))
    await plans.settled()
    for (const broken of [{}, null, { mode: 'enforce', schemas: { E: { '1-0-0': { type: 'nonsense' } } } }])
      plans.apply(put(2, broken))
    await plans.settled()
    expect(missing(plans)).toBe('$.properties.a')
    plans.apply(put(3, wants('b')))
    await plans.settled()
    expect(missing(plans)).toBe('$.properties.b')
  })
})
