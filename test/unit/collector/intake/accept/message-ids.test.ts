import { timeOfUuidv7 } from '@slotstream/protocol'
import { expect, it } from 'vitest'
import { createMessageIds } from '#collector/intake/accept/message-ids.js'

it('makes ids of their time that never come twice, far beyond what is random at once', () => {
  const newId = createMessageIds()
  const from = Date.now()
  const ids = Array.from({ length: 5_000 }, newId)
  const through = Date.now()
  // The ends of ids are random alone, and so tell whether bytes are used a second time.
  expect(new Set(ids.map(id => id.slice(-12))).size).toBe(ids.length)
  for (const id of ids) {
    expect(timeOfUuidv7(id)).toBeGreaterThanOrEqual(from)
    expect(timeOfUuidv7(id)).toBeLessThanOrEqual(through)
  }
})
