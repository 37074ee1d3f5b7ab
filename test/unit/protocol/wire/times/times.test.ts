import { correctTime, EARLIEST_TIMESTAMP, MAX_FUTURE_MS, parseTime } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'

const received = Date.UTC(2026, 5, 1, 12)
const DAY = 86_400_000

describe('correctTime', () => {
  it('takes a client that does not say when it sent at its word', () => {
    expect(correctTime(received - 5_000, undefined, received)).toEqual({ ok: true, timestamp: received - 5_000 })
  })

  it('moves the time by what the clock was off when it sent', () => {
    const off = 3_600_000
    expect(correctTime(received + off - 20, received + off, received)).toEqual({ ok: true, timestamp: received - 20 })
  })

  it('clamps a time in the near future to receipt', () => {
    expect(correctTime(received + 1, undefined, received)).toEqual({ ok: true, timestamp: received })
    expect(correctTime(received + MAX_FUTURE_MS, undefined, received)).toEqual({ ok: true, timestamp: received })
  })

  it('refuses what lies further in the future or before the year 2000', () => {
    expect(correctTime(received + MAX_FUTURE_MS + 1, undefined, received).ok).toBe(false)
    expect(correctTime(EARLIEST_TIMESTAMP, undefined, received).ok).toBe(true)
    expect(correctTime(EARLIEST_TIMESTAMP - 1, undefined, received).ok).toBe(false)
  })

  it('can say what was wrong with a time that no date can hold', () => {
    expect(correctTime(-9e15, undefined, received)).toMatchObject({ ok: false })
  })

  it.each([
    ['a clock that was 400 days ahead and put right', 400 * DAY, 0, 0],
    ['a clock that was never set, and put right', -received, 0, 0],
    ['a time of sending that is years old', -5_000, -2_000 * DAY, -5_000],
    ['a time of sending of an earlier try, and a clock ahead', 30 * DAY, 0, 0],
    ['times that no date can hold', -8e15 - received, 8e15 - received, 0],
  ])('clamps and marks %s', (_, client, sent, expected) => {
    expect(correctTime(received + client, received + sent, received)).toEqual({
      ok: true,
      timestamp: received + expected,
      clamped: true,
    })
  })
})

describe('parseTime', () => {
  it.each([
    ['2026-01-31T12:00:00.000Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T12:00Z', '2026-01-31T12:00:00.000Z'],
    ['2015-2-02T00:30:12.984Z', '2015-02-02T00:30:12.984Z'],
    ['2026-01-31 12:00:00', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T12:00:00', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['2026-1-3', '2026-01-03T00:00:00.000Z'],
    ['2028-02-29T23:59:59.999Z', '2028-02-29T23:59:59.999Z'],
    ['2026-12-31T23:30:00-01:00', '2027-01-01T00:30:00.000Z'],
    ['2026-01-31T12:00:00+02:00', '2026-01-31T10:00:00.000Z'],
    ['2026-01-31T12:00:00-0530', '2026-01-31T17:30:00.000Z'],
    ['2026-01-31t12:00:00z', '2026-01-31T12:00:00.000Z'],
    ['  2026-01-31T12:00:00Z ', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T12:00:00,5Z', '2026-01-31T12:00:00.500Z'],
    ['2026-01-31T12:00:00.123456Z', '2026-01-31T12:00:00.123Z'],
    ['2019-11-24 00:00:01.123456+00:00', '2019-11-24T00:00:01.123Z'],
    ['2026-01-31 12:00:00.5+00', '2026-01-31T12:00:00.500Z'],
    ['2026-01-31T12:00+05', '2026-01-31T07:00:00.000Z'],
    ['2026-01-31Z', '2026-01-31T00:00:00.000Z'],
    ['20260131T120000Z', '2026-01-31T12:00:00.000Z'],
    ['20260131T120000.25-0530', '2026-01-31T17:30:00.250Z'],
    ['20260131t1200', '2026-01-31T12:00:00.000Z'],
  ])('reads %j', (text, expected) => {
    expect(new Date(parseTime(text) ?? Number.NaN).toISOString()).toBe(expected)
  })

  it.each([
    '',
    'now',
    '2026',
    '12:00',
    '2026-13-01',
    '2026-01-32',
    '2026-02-30T12:00:00.000Z',
    '2026-02-29',
    '2026-4-31 10:00:00+02:00',
    '2026-01-00T00:00:00Z',
    '2026-01-01T25:00:00Z',
    '1780000000000',
    '20260131',
    '20260230T120000Z',
    '2026-01-31T12:00:00+5',
    '2026-01-31T12:00:00 UTC',
    'Jan 1 2026',
  ])('does not guess at %j', text => {
    expect(parseTime(text)).toBeUndefined()
  })

  it('reads times of one minute as those of any other', () => {
    for (const second of ['00.000', '59.999', '07.250'])
      expect(parseTime(`2026-01-31T12:34:${second}Z`)).toBe(Date.parse(`2026-01-31T12:34:${second}Z`))
    for (const second of ['60.000', '5x.000', '07.25 0'])
      expect(parseTime(`2026-01-31T12:34:${second}Z`)).not.toBe(Date.parse('2026-01-31T12:34:07.250Z'))
    expect(parseTime('2026-01-31T12:34:60.000Z')).toBeUndefined()
    expect(parseTime('2026-01-31T12:35:07.250Z')).toBe(Date.parse('2026-01-31T12:35:07.250Z'))
    for (const minute of ['12:34', '12:35', '12:44', '13:34', '12:34'])
      expect(parseTime(`2026-01-31T${minute}:07.250Z`)).toBe(Date.parse(`2026-01-31T${minute}:07.250Z`))
  })
})
