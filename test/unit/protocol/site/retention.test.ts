import { checkSite, MIN_RETENTION_DAYS } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'

const site = (retention: unknown) => checkSite({ siteId: 'demo', writeKeys: ['demo'], retention })

/** How long after the first a message may be sent again and is known, as promised. */
const LATE_DAYS = 7

describe('the retention of a site', () => {
  it('names tables and days', () => {
    const retention = { events: 400, rejected_events: 30, profiles: 730 }
    expect(site(retention)).toMatchObject({ ok: true, value: { retention } })
  })

  it('is longer than late copies may come', () => {
    expect(MIN_RETENTION_DAYS).toBeGreaterThan(LATE_DAYS)
    expect(site({ events: LATE_DAYS })).toMatchObject({ ok: false, reason: expect.stringContaining('from 8 to') })
  })

  it.each([[[]], [{ sessions: 90 }], [{ events: '90' }], [{ events: 90.5 }], [{ events: 0 }]])('refuses %j', raw => {
    expect(site(raw)).toMatchObject({ ok: false, reason: expect.stringContaining('retention') })
  })
})
