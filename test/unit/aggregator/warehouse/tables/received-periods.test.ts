import { describe, expect, it } from 'vitest'
import { type Hour, periodsOf } from '#aggregator/warehouse/tables/received-periods.js'

const hour = (hours: number, events: number): Hour => ({
  begin: `2026-11-29 ${hours}:00:00`,
  end: `2026-11-29 ${hours + 1}:00:00`,
  events,
})

describe('periods of what was received', () => {
  it('have as many hours as the bound of events takes, and pauses between them', () => {
    expect(periodsOf([hour(10, 3), hour(11, 4), hour(15, 3), hour(20, 8), hour(21, 2), hour(22, 1)], 10)).toEqual([
      { from: '2026-11-29 10:00:00', until: '2026-11-29 16:00:00' },
      { from: '2026-11-29 20:00:00', until: '2026-11-29 22:00:00' },
      { from: '2026-11-29 22:00:00', until: '2026-11-29 23:00:00' },
    ])
  })

  it('have an hour by itself that has more than the bound, and none where nothing was received', () => {
    expect(periodsOf([hour(10, 30), hour(11, 1)], 10)).toEqual([
      { from: '2026-11-29 10:00:00', until: '2026-11-29 11:00:00' },
      { from: '2026-11-29 11:00:00', until: '2026-11-29 12:00:00' },
    ])
    expect(periodsOf([])).toEqual([])
  })
})
