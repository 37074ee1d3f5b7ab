import { describe, expect, it } from 'vitest'
import { createProgress } from '../../../../aggregator/profiles/progress.js'

describe('waiting for a stream position', () => {
  it('ends as soon as the reader is there, also for a partition without messages', async () => {
    const progress = createProgress(2, 10)
    await expect(progress.waitFor(0, 10, 0)).resolves.toBe(true)
    const waiting = progress.waitFor(0, 12, 60_000)
    progress.received(1, 12, true)
    await expect(waiting).resolves.toBe(true)
  })

  it('goes on while the message waits for its profile', async () => {
    const progress = createProgress(2, 0)
    progress.received(0, 1, false)
    progress.received(0, 2, false)
    progress.received(1, 3, true)
    expect([progress.appliedThrough(0), progress.appliedThrough(1), progress.pending]).toEqual([0, 3, 2])
    const waiting = progress.waitFor(0, 2, 60_000)
    progress.applied(0, 1)
    expect(progress.appliedThrough(0)).toBe(1)
    progress.applied(0, 2)
    await expect(waiting).resolves.toBe(true)
    expect(progress.appliedThrough(0)).toBe(3)
  })

  it('ends with false at the deadline', async () => {
    await expect(createProgress(1, 0).waitFor(0, 1, 5)).resolves.toBe(false)
  })
})
