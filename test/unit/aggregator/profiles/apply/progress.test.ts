import { describe, expect, it } from 'vitest'
import { createProgress } from '#aggregator/profiles/apply/progress.js'

describe('waiting for a stream position', () => {
  it('ends as soon as the reader is there', async () => {
    const progress = createProgress(10)
    await expect(progress.waitFor(10, 0)).resolves.toBe(true)
    const waiting = progress.waitFor(12)
    progress.received(14, true)
    await expect(waiting).resolves.toBe(true)
  })

  it('goes on while a message waits for its profile', async () => {
    const progress = createProgress(0)
    progress.received(1, false)
    progress.received(3, false)
    expect([progress.through, progress.pending]).toEqual([0, 2])
    const waiting = progress.waitFor(3, 60_000)
    progress.applied(1)
    expect(progress.through).toBe(2)
    progress.applied(3)
    await expect(waiting).resolves.toBe(true)
    expect(progress.through).toBe(3)
  })

  it('ends with false at the deadline', async () => {
    await expect(createProgress(0).waitFor(1, 5)).resolves.toBe(false)
  })
})
