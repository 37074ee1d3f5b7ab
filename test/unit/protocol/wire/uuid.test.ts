import { createUuidv7Maker, timeOfUuidv7, uuidv7 } from '@slotstream/protocol'
import { expect, it } from 'vitest'

it('an id says when it was made, one of another kind says nothing', () => {
  for (const time of [0, 1, 1_764_428_400_123, 2 ** 48 - 1]) expect(timeOfUuidv7(uuidv7(time))).toBe(time)
  expect(timeOfUuidv7(uuidv7(5).toUpperCase())).toBe(5)
  const others = ['', 'decision-7', '0197d0f4-6f1a-4000-8000-000000000000', `${uuidv7()}0`, `x${uuidv7()}`]
  for (const id of others) expect(timeOfUuidv7(id)).toBeUndefined()
})

it('a maker of very many makes ids of their time that never come twice, far beyond what is random at once', () => {
  const newId = createUuidv7Maker()
  const from = Date.now()
  const ids = Array.from({ length: 5_000 }, () => newId())
  const through = Date.now()
  // The ends of ids are random alone, and so tell whether bytes are used a second time.
  expect(new Set(ids.map(id => id.slice(-12))).size).toBe(ids.length)
  for (const id of ids) {
    expect(timeOfUuidv7(id)).toBeGreaterThanOrEqual(from)
    expect(timeOfUuidv7(id)).toBeLessThanOrEqual(through)
  }
})
