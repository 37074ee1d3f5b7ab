import type { Retention } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { ttlOf } from '#aggregator/warehouse/tables/retention.js'

const sites = (all: Record<string, Retention>) => new Map(Object.entries(all))

describe('ttlOf', () => {
  it('keeps all when no site says otherwise', () => {
    expect(ttlOf('events', sites({ demo: { decisions: 30 } }))).toEqual({ ttl: '', comment: '' })
  })

  it('has one rule for all sites that keep the same number of days', () => {
    const { ttl, comment } = ttlOf('events', sites({ c: { events: 90 }, a: { events: 90 }, b: { events: 30 } }))
    expect(ttl).toBe(
      "toDateTime(received_at) + INTERVAL 30 DAY DELETE WHERE site_id IN ('b'), " +
        "toDateTime(received_at) + INTERVAL 90 DAY DELETE WHERE site_id IN ('a', 'c')",
    )
    expect(comment).toBe('keeps b for 30 days; keeps a, c for 90 days')
  })

  it('makes no SQL of what is no site id', () => {
    expect(ttlOf('events', sites({ "x') OR ('1'='1": { events: 90 } })).ttl).toBe('')
    expect(ttlOf('events', sites({ demo: { events: '1' as never } })).ttl).toBe('')
  })
})
