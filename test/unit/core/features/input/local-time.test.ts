import { describe, expect, it, vi } from 'vitest'
import { localTimeOf } from '#core/features/input/local-time.js'

const NOON = '2026-07-01T12:00:00.000Z'
const hourIn = (zone: unknown) => localTimeOf(NOON, zone).hour

describe('local time', () => {
  it('knows zones as visitors spell them', () => {
    const zones = ['Europe/Berlin', 'europe/BERLIN', 'Asia/Kathmandu', 'America/Argentina/ComodRivadavia']
    expect(zones.map(hourIn)).toEqual([14, 14, 17, 9])
  })

  it('is UTC for what is no zone', () => {
    for (const zone of ['', 'Nowhere/Town', undefined, 7, ' ', 'constructor', `Europe/Berlin${' '.repeat(60)}`])
      expect(hourIn(zone)).toBe(12)
  })

  it('does not look at names that are longer than those of zones', () => {
    const made = vi.spyOn(Intl, 'DateTimeFormat')
    for (let n = 0; n < 10; n++) hourIn(`${n}${'x'.repeat(31_000)}`)
    expect(made).not.toHaveBeenCalled()
    made.mockRestore()
  })
})
