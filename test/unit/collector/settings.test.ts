import { describe, expect, it } from 'vitest'
import { collectorSettings } from '#collector/settings.js'

describe('the settings of the collector', () => {
  it('have defaults', () => {
    expect(collectorSettings({})).toMatchObject({
      addressPerSecond: 500,
      maxInFlightBytes: 32 * 1024 * 1024,
      trustProxy: ['loopback', 'linklocal', 'uniquelocal'],
    })
  })

  it.each([
    ['none', []],
    ['2', 2],
    ['10.0.0.0/8, 2001:db8::/32', ['10.0.0.0/8', '2001:db8::/32']],
  ])('read TRUST_PROXY=%s', (text, trustProxy) => {
    expect(collectorSettings({ TRUST_PROXY: text }).trustProxy).toEqual(trustProxy)
  })

  it('refuse what is none', () => {
    expect(() => collectorSettings({ TRUST_PROXY: 'my proxy' })).toThrow(/TRUST_PROXY holds "my proxy"/)
    expect(() => collectorSettings({ MAX_IN_FLIGHT_MB: '0' })).toThrow(/MAX_IN_FLIGHT_MB/)
  })
})
