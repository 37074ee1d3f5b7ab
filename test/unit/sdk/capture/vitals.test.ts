import { expect, it } from 'vitest'
import { type Interactions, inpOf, withInteraction } from '#sdk/capture/vitals/interactions.js'
import { ratingOf } from '#sdk/capture/vitals/ratings.js'
import { type ShiftSession, withShift } from '#sdk/capture/vitals/shifts.js'

const interactions = (events: [id: number, duration: number][]) =>
  events.reduce<Interactions>((longest, [id, duration]) => withInteraction(longest, id, duration), new Map())

it('an interaction lasts as long as the longest of its events, and the longest interaction is the value', () => {
  const longest = interactions([
    [7, 48],
    [14, 120],
    [14, 64],
    [21, 56],
  ])
  expect([...longest]).toEqual([
    [14, 120],
    [21, 56],
    [7, 48],
  ])
  expect(inpOf(longest, 3)).toBe(120)
  expect(inpOf(new Map(), 0)).toBeUndefined()
})

it('one interaction in fifty may be longer than the value, of which ten are remembered', () => {
  const longest = interactions(Array.from({ length: 120 }, (_, i) => [7 * i, 8 * i]))
  expect(longest.size).toBe(10)
  expect([49, 50, 120, 5_000].map(count => inpOf(longest, count))).toEqual([952, 944, 936, 880])
})

it('shifts add up until a second without one, and for five seconds at most', () => {
  const values = (times: number[]) => {
    let session: ShiftSession | undefined
    return times.map(at => {
      session = withShift(session, 1, at)
      return session.value
    })
  }
  expect(values([0, 999, 1_998, 2_998])).toEqual([1, 2, 3, 1])
  expect(values([0, 900, 1_800, 2_700, 3_600, 4_500, 5_000])).toEqual([1, 2, 3, 4, 5, 6, 1])
})

it('rates a value that is on a limit as the better', () => {
  expect([0.1, 0.11, 0.25, 0.26].map(value => ratingOf('CLS', value))).toEqual([
    'good',
    'needs-improvement',
    'needs-improvement',
    'poor',
  ])
  expect(ratingOf('INP', 501)).toBe('poor')
})
