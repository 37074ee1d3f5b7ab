import { expect, it } from 'vitest'
import { FIRST_PAUSE_MS, LONGEST_PAUSE_MS, pauseAfter, WELL_AFTER_MS } from '#supervisor/process/back-off.js'

it('doubles the pause from the first to the longest', () => {
  const pauses = Array.from({ length: 12 }, (_, failures) => pauseAfter(failures + 1))
  expect(pauses[0]).toBe(FIRST_PAUSE_MS)
  expect(pauses[1]).toBe(2 * FIRST_PAUSE_MS)
  expect(pauses.at(-1)).toBe(LONGEST_PAUSE_MS)
  expect(pauses).toEqual(pauses.toSorted((a, b) => a - b))
})

it('takes a part for well only after it ran longer than any pause', () => {
  expect(WELL_AFTER_MS).toBeGreaterThan(LONGEST_PAUSE_MS)
})
